"""Reads the body of a model server's response: an event stream or, regardless of its headers, JSON or a web page."""

from typing import Any, Protocol, cast

import orjson

from agent_service.call_arguments import parse_json
from agent_service.errors import ModelFailed
from agent_service.models.wire import provider_errors
from agent_service.models.wire.response_builder import ResponseBuilder
from agent_service.models.wire.sse import EventTooLong, SseParser

MAX_DOCUMENT_BYTES = 16 * 1024 * 1024
_DONE = b"[DONE]"


class Decoder(Protocol):
    """Reads one format's events into a response."""

    builder: ResponseBuilder

    def event(self, event: dict[str, Any], name: str) -> None:
        """Handles one event. `name` is empty if it has none. Raises `ModelFailed` if it is an error."""
        ...

    def document(self, document: dict[str, Any]) -> None:
        """Handles the complete response of a server that does not stream."""
        ...


class ResponseBody:
    """Feeds a decoder. All methods raise `ModelFailed`, and nothing else."""

    def __init__(self, decoder: Decoder) -> None:
        self.builder = decoder.builder
        self._decoder = decoder
        self._parser = SseParser()
        self._event = decoder.event
        self._beginning: bytes | None = b""
        """The data received before it is certain that this is an event stream; None from then on."""
        self.has_begun = False
        self._document: list[bytes] | None = None
        self._size = 0

    def feed(self, chunk: bytes) -> None:
        if self._beginning is not None:
            self.has_begun = True
            chunk = self._begin(chunk)
        if self._document is not None:
            self._size += len(chunk)
            if self._size > MAX_DOCUMENT_BYTES:
                raise _broken()
            self._document.append(chunk)
            return
        try:
            events = self._parser.feed(chunk)
        except EventTooLong as error:
            raise _broken() from error
        for name, data in events:
            self._read(name, data)

    def close(self) -> None:
        """To be called at the end of the body."""
        if self._document is not None:
            self._read_document(b"".join(self._document))
            return
        if self._beginning is not None:
            self._beginning = None
        for name, data in self._parser.close():
            try:
                self._read(name, data)
            except ModelFailed as failed:
                if failed.message != provider_errors.BROKEN:  # otherwise it was truncated
                    raise

    def _begin(self, chunk: bytes) -> bytes:
        """Determines the kind of body by its first significant byte."""
        assert self._beginning is not None
        self._beginning += chunk
        text = self._beginning.removeprefix(b"\xef\xbb\xbf").lstrip()
        if not text or b"\xef\xbb\xbf".startswith(text):
            return b""
        if text.startswith(b"<"):
            raise ModelFailed("model_rejected", provider_errors.NOT_A_SERVER, retryable=False)
        if text.startswith((b"{", b"[")):
            self._document = []
        chunk, self._beginning = self._beginning, None
        return chunk

    def _read(self, name: bytes, data: bytes) -> None:
        try:
            event = orjson.loads(data)
        except orjson.JSONDecodeError:
            event = self._unusual(data)
        if isinstance(event, dict):
            self._event(cast(dict[str, Any], event), name.decode("utf-8", "replace") if name else "")
        elif isinstance(event, list):
            for one in cast(list[Any], event):
                if isinstance(one, dict):
                    self._event(cast(dict[str, Any], one), "")

    def _unusual(self, data: bytes) -> Any:
        """None if there is nothing in it: empty data and plain words are keep-alives."""
        bare = data.strip()
        if bare == _DONE:
            self.builder.has_ended = True
            return None
        if not bare.startswith((b"{", b"[")):
            return None
        try:
            return parse_json(bare)
        except ValueError as error:
            raise _broken() from error

    def _read_document(self, data: bytes) -> None:
        """An error, a response without streaming, or events separated by line breaks only."""
        try:
            documents = [parse_json(data)]
        except ValueError:
            self._read_lines(data)
            return
        if isinstance(documents[0], list):
            documents = cast(list[Any], documents[0])
        for document in documents:
            if isinstance(document, dict):
                self._decoder.document(cast(dict[str, Any], document))
        self.builder.has_ended = True

    def _read_lines(self, data: bytes) -> None:
        for line in data.splitlines():
            self._read(b"", line.removeprefix(b"data:").strip())


def _broken() -> ModelFailed:
    return ModelFailed("model_unavailable", provider_errors.BROKEN, retryable=True)
