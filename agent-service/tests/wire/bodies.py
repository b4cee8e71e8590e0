"""What model servers send, body by body, and what is right for each.

The bodies are made here after what servers are reported to do; none is well-behaved.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from agent_service.models.wire import Api, Simplification, provider_errors
from agent_service.models.wire.chat_completions import ChatCompletionsDecoder
from agent_service.models.wire.response_body import Decoder, ResponseBody
from agent_service.models.wire.response_builder import ResponseBuilder
from agent_service.models.wire.responses import ResponsesDecoder

TOOLS = {"create_note", "list_notes", "read_note"}
DONE = b"data: [DONE]\n\n"
USAGE = {"prompt_tokens": 21, "completion_tokens": 4, "total_tokens": 25}


@dataclass
class Recorder:
    """A listener that remembers, with neighbouring parts joined. Calls are numbered as they begin."""

    text_parts: list[str] = field(default_factory=list[str])
    reasoning_parts: list[str] = field(default_factory=list[str])
    calls: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    counts: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    simplifications: list[Simplification] = field(default_factory=list[Simplification])

    def text(self, text: str) -> None:
        assert text
        self.text_parts.append(text)

    def reasoning(self, text: str) -> None:
        assert text
        self.reasoning_parts.append(text)

    def tool_call_began(self, call_id: str, name: str) -> None:
        assert call_id not in self.calls
        self.calls[call_id] = [name, ""]

    def tool_args(self, call_id: str, delta: str) -> None:
        assert delta
        self.calls[call_id][1] += delta

    def counted(self, input_tokens: int, output_tokens: int) -> None:
        self.counts.append((input_tokens, output_tokens))

    def simplified(self, reason: Simplification) -> None:
        self.simplifications.append(reason)

    @property
    def received(self) -> tuple[str, str, list[tuple[str, str]]]:
        calls = [(name, arguments) for name, arguments in self.calls.values()]
        return "".join(self.text_parts), "".join(self.reasoning_parts), calls


@dataclass(frozen=True)
class Case:
    """`calls`: name and arguments as the model wrote them. `fails` with this message, else it ends as `finish`.
    `text`: what the listener hears; `final`, where it is another, what the answer is in the end."""

    name: str
    body: bytes
    text: str = ""
    reasoning: str = ""
    calls: Sequence[tuple[str, str]] = ()
    finish: str = "stop"
    fails: str | None = None
    api: Api = "chat"
    status: int = 200
    content_type: str = "text/event-stream"
    final: str | None = None
    usage: int = 0

    def __str__(self) -> str:
        return f"{self.api}-{self.name}"


def body_for(api: Api, listener: Recorder, *, accepts_text_calls: bool = True) -> ResponseBody:
    answer = ResponseBuilder(listener, "127.0.0.1:1/v1", TOOLS, accepts_text_calls=accepts_text_calls)
    decoder: Decoder = ChatCompletionsDecoder(answer) if api == "chat" else ResponsesDecoder(answer)
    return ResponseBody(decoder)


def data(value: Any) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def delta(finish: str | None = None, **fields: Any) -> bytes:
    """A chunk of Chat Completions."""
    return data({"id": "c1", "model": "m", "choices": [{"index": 0, "delta": fields, "finish_reason": finish}]})


def texts(*parts: str) -> bytes:
    return b"".join(delta(content=part) for part in parts)


def call(index: Any = 0, call_id: Any = "call_a", name: Any = "create_note", arguments: Any = "", **more: Any) -> Any:
    """An element of `tool_calls`, without what is None."""
    function = {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None}
    return {
        key: value
        for key, value in {"index": index, "id": call_id, "type": "function", "function": function, **more}.items()
        if value is not None
    }


def calls(*elements: Any) -> bytes:
    return delta(tool_calls=list(elements))


STOP = delta("stop") + data({"choices": [], "usage": USAGE}) + DONE
CALLED = delta("tool_calls") + DONE
MILK, BREAD = '{"title": "Milk"}', '{"title": "Bread"}'
TWO = (("create_note", MILK), ("create_note", BREAD))
ONE = (("create_note", MILK),)

TEXT_CASES = [
    Case("plain", texts("Good ", "morning.") + STOP, "Good morning.", usage=21),
    Case("crlf", (texts("Good ", "morning.") + STOP).replace(b"\n", b"\r\n"), "Good morning.", usage=21),
    Case("cr", (texts("Good ", "morning.") + STOP).replace(b"\n", b"\r"), "Good morning.", usage=21),
    Case("byte-order-mark", b"\xef\xbb\xbf" + texts("Good.") + STOP, "Good.", usage=21),
    Case("no-space-after-colon", (texts("Good.") + STOP).replace(b"data: ", b"data:"), "Good.", usage=21),
    Case("no-blank-lines", (texts("Good ", "morning.") + STOP).replace(b"\n\n", b"\n"), "Good morning.", usage=21),
    Case("no-end-of-line", (texts("Good.") + STOP).removesuffix(b"\n\n"), "Good.", usage=21),
    Case(
        "data-in-several-lines",
        b'data: {"choices": [\ndata: {"index": 0, "delta": {"content":\ndata: "Good."}}\ndata: ]}\n\n' + STOP,
        "Good.",
        usage=21,
    ),
    Case(
        "comments-and-empty-data",
        b": still here\n\ndata:\n\ndata\n\ndata: null\n\nevent: ping\ndata: {}\n\nretry: 100\nid: 7\n\ndata: ping\n\n"
        + texts("", "Good", "", ".")
        + b": PROCESSING\n\n"
        + STOP,
        "Good.",
        usage=21,
    ),
    Case("events-with-names", (texts("Good.") + STOP).replace(b"data: ", b"event: chunk\ndata: "), "Good.", usage=21),
    Case(
        "choice-without-index",
        data({"choices": [{"delta": {"content": "Good "}}]})
        + data({"choices": [{"index": None, "delta": {"content": "day."}}]})
        + data({"choices": [{"delta": {}, "finish_reason": "stop"}]})
        + DONE,
        "Good day.",
    ),
    Case(
        "another-choice-is-not-told",
        texts("Good.") + data({"choices": [{"index": 1, "delta": {"content": "Bad."}}]}) + STOP,
        "Good.",
        usage=21,
    ),
    Case(
        "odd-choices",
        data({"choices": None}) + data({"choices": []}) + data({"choices": ["x", None]}) + texts("Good.") + STOP,
        "Good.",
        usage=21,
    ),
    Case(
        "odd-deltas",
        data({"choices": [{"index": 0, "delta": None}]})
        + delta(content=None)
        + delta(content=7)
        + texts("Good.")
        + STOP,
        "Good.",
        usage=21,
    ),
    Case(
        "null-fields",
        delta(content="Good.", reasoning_content=None, tool_calls=None, refusal=None) + STOP,
        "Good.",
        usage=21,
    ),
    Case(
        "usage-in-every-chunk",
        data({"choices": [{"index": 0, "delta": {"content": "Good."}, "finish_reason": None}], "usage": USAGE})
        + delta("stop")
        + DONE,
        "Good.",
        usage=21,
    ),
    Case(
        "usage-with-the-end",
        texts("Good.") + data({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": USAGE}) + DONE,
        "Good.",
        usage=21,
    ),
    Case(
        "usage-of-nulls",
        texts("Good.")
        + delta("stop")
        + data(
            {
                "choices": [],
                "usage": {"prompt_tokens": None, "completion_tokens": "many", "prompt_tokens_details": None},
            }
        )
        + DONE,
        "Good.",
    ),
    Case("done-without-reason", texts("Good.") + DONE, "Good."),
    Case("reason-without-done", texts("Good.") + delta("stop"), "Good."),
    Case("empty-reasons", texts("Good.") + delta("", content=" Day.") + delta("null") + DONE, "Good. Day."),
    Case("length", texts("Good") + delta("length") + DONE, "Good", finish="length"),
    Case("length-by-another-name", texts("Good") + delta("MAX_TOKENS") + DONE, "Good", finish="length"),
    Case("filtered-in-the-middle", texts("Good") + delta("content_filter") + DONE, "Good", finish="content_filter"),
    Case("a-reason-of-its-own", texts("Good.") + delta("repetition") + DONE, "Good.", finish="repetition"),
    Case(
        "list-of-parts",
        delta(content=[{"type": "text", "text": "Good "}, "day", {"type": "reference", "reference_ids": [1]}])
        + texts(".")
        + STOP,
        "Good day.",
        usage=21,
    ),
    Case("refusal", delta(content=None, refusal="I will ") + delta(refusal="not.") + STOP, "I will not.", usage=21),
    Case(
        "not-streamed",
        json.dumps({"choices": [{"message": {"content": "Good."}, "finish_reason": "stop"}], "usage": USAGE}).encode(),
        "Good.",
        content_type="application/json",
        usage=21,
    ),
    Case("lines-without-data", (texts("Good ", "day.") + delta("stop")).replace(b"data: ", b""), "Good day."),
    Case(
        "half-a-character",
        b'data: {"choices": [{"index": 0, "delta": {"content": "Good \\ud83d"}}]}\n\n'
        + b'data: {"choices": [{"index": 0, "delta": {"content": "\\ude00"}}]}\n\n'
        + STOP,
        "Good \ud83d\ude00",
        final="Good 😀",
        usage=21,
    ),
    Case(
        "half-a-character-alone",
        b'data: {"choices": [{"index": 0, "delta": {"content": "Good \\ud83d day"}}]}\n\n' + STOP,
        "Good \ud83d day",
        final="Good � day",
        usage=21,
    ),
    Case(
        "bytes-that-are-no-text",
        b'data: {"choices": [{"index": 0, "delta": {"content": "Good \xff."}}]}\n\n' + STOP,
        "Good �.",
        usage=21,
    ),
    Case("the-wrong-content-type", texts("Good.") + STOP, "Good.", content_type="application/json", usage=21),
]

REASONING_CASES = [
    Case(
        "reasoning-content",
        delta(reasoning_content="Let me ") + delta(reasoning_content="see.") + texts("Good.") + STOP,
        "Good.",
        "Let me see.",
        usage=21,
    ),
    Case("reasoning", delta(reasoning="Let me see.") + texts("Good.") + STOP, "Good.", "Let me see.", usage=21),
    Case(
        "reasoning-in-two-fields",
        delta(reasoning="Let me ", reasoning_content="Let me ")
        + delta(reasoning="see.", reasoning_content="see.")
        + texts("Good.")
        + STOP,
        "Good.",
        "Let me see.",
        usage=21,
    ),
    Case(
        "reasoning-in-turns",
        delta(reasoning="Let me ")
        + delta(reasoning_content="Let me ")
        + delta(reasoning="see.")
        + texts("Good.")
        + STOP,
        "Good.",
        "Let me see.",
        usage=21,
    ),
    Case(
        "reasoning-once-more-at-the-end",
        delta(reasoning_content="Let me ")
        + delta(reasoning_content="see.")
        + texts("Good.")
        + delta("stop", reasoning_content="Let me see.")
        + DONE,
        "Good.",
        "Let me see.",
    ),
    Case(
        "reasoning-details",
        delta(reasoning_details=[{"type": "reasoning.text", "text": "Let me ", "index": 0}])
        + delta(reasoning_details=[{"type": "reasoning.text", "text": "see.", "index": 0, "signature": "s"}])
        + texts("Good.")
        + STOP,
        "Good.",
        "Let me see.",
        usage=21,
    ),
    Case(
        "parts-of-thinking",
        delta(content=[{"type": "thinking", "thinking": [{"type": "text", "text": "Let me see."}]}])
        + delta(content=[{"type": "text", "text": "Good."}])
        + STOP,
        "Good.",
        "Let me see.",
        usage=21,
    ),
    Case(
        "think-tags",
        texts("<think>\nLet me ", "see.\n", "</think>\n\nGood", ".") + STOP,
        "Good.",
        "Let me see.\n",
        usage=21,
    ),
    Case("thought-tags", texts("<thou", "ght>Let me see.</tho", "ught>Good.") + STOP, "Good.", "Let me see.", usage=21),
    Case("think-brackets", texts("[THINK]Let me see.[/THINK]Good.") + STOP, "Good.", "Let me see.", usage=21),
    Case(
        "tags-and-a-field",
        delta(reasoning_content="Let me see.") + texts("<think>Let me see.</think>Good.") + STOP,
        "Good.",
        "Let me see.",
        usage=21,
    ),
    Case("empty-think-tags", texts("<think>\n\n</think>\n\nGood.") + STOP, "Good.", usage=21),
    Case(
        "thinks-twice",
        texts("<think>One.</think>\n", "Good.\n<think>Two.</think>\nDay.") + STOP,
        "Good.\nDay.",
        "One.Two.",
        usage=21,
    ),
    Case(
        "tag-opened-in-the-prompt",
        texts("Let me see.\n</think>\n\n", "Good.") + STOP,
        "Let me see.\nGood.",
        "Let me see.\n",
        final="Good.",
        usage=21,
    ),
    Case(
        "tags-in-the-text-are-text",
        texts("Use `<think>` here: <think>, </think>.\n```\n<think>\n```\n") + STOP,
        "Use `<think>` here: <think>, </think>.\n```\n<think>\n```\n",
        usage=21,
    ),
    Case(
        "less-than", texts("a <", " b, <b", ">x</b> and\n<t", "able>") + STOP, "a < b, <b>x</b> and\n<table>", usage=21
    ),
    Case(
        "only-reasoning",
        delta(reasoning_content="Let me see.") + STOP,
        reasoning="Let me see.",
        fails=provider_errors.EMPTY,
    ),
    Case("think-without-end", texts("<think>Let me see") + STOP, reasoning="Let me see", fails=provider_errors.EMPTY),
]

CALL_CASES = [
    Case(
        "two-at-index-0", calls(call(0, "a", arguments=MILK)) + calls(call(0, "b", arguments=BREAD)) + CALLED, calls=TWO
    ),
    Case(
        "two-at-index-0-in-parts",
        calls(call(0, "a"))
        + calls(call(0, None, None, MILK))
        + calls(call(0, "b"))
        + calls(call(0, None, None, BREAD))
        + CALLED,
        calls=TWO,
    ),
    Case(
        "two-without-index",
        calls(call(None, "a", arguments=MILK), call(None, "b", arguments=BREAD)) + CALLED,
        calls=TWO,
    ),
    Case(
        "two-without-index-in-parts",
        calls(call(None, "a"), call(None, "b"))
        + calls(call(None, "a", None, MILK))
        + calls(call(None, "b", None, BREAD))
        + CALLED,
        calls=TWO,
    ),
    Case(
        "two-without-anything",
        calls(call(None, None, arguments=MILK), call(None, None, arguments=BREAD)) + CALLED,
        calls=TWO,
    ),
    Case(
        "two-at-index-0-without-id",
        calls(call(0, None, arguments=MILK)) + calls(call(0, None, arguments=BREAD)) + CALLED,
        calls=TWO,
    ),
    Case(
        "two-heads-at-index-0-without-id",
        calls(call(0, None))
        + calls(call(0, None, None, MILK))
        + calls(call(0, None))
        + calls(call(0, None, None, BREAD))
        + CALLED,
        calls=TWO,
    ),
    Case("two-with-one-id", calls(call(0, "a", arguments=MILK), call(1, "a", arguments=BREAD)) + CALLED, calls=TWO),
    Case(
        "two-with-one-id-at-one-index",
        calls(call(0, "a", arguments=MILK)) + calls(call(0, "a", arguments=BREAD)) + CALLED,
        calls=TWO,
    ),
    Case(
        "two-tools-at-index-0-without-id",
        calls(call(0, None, "list_notes", "{}")) + calls(call(0, None, arguments=MILK)) + CALLED,
        calls=(("list_notes", "{}"), ("create_note", MILK)),
    ),
    Case(
        "two-interleaved",
        calls(call(0, "a"), call(1, "b"))
        + calls(call(1, None, None, BREAD))
        + calls(call(0, None, None, MILK))
        + CALLED,
        calls=TWO,
    ),
    Case("index-as-text", calls(call("0", "a")) + calls(call("0", None, None, MILK)) + CALLED, calls=ONE),
    Case("index-at-first-only", calls(call(0, "a")) + calls(call(None, None, None, MILK)) + CALLED, calls=ONE),
    Case(
        "the-name-in-every-part",
        calls(call(0, "a", arguments='{"title"')) + calls(call(0, "a", arguments=': "Milk"}')) + CALLED,
        calls=ONE,
    ),
    Case(
        "whole-once-more-at-the-end",
        calls(call(0, "a", arguments='{"title": '))
        + calls(call(0, None, None, '"Milk"}'))
        + calls(call(0, "a", arguments=MILK))
        + CALLED,
        calls=ONE,
    ),
    Case("head-once-more-at-the-end", calls(call(0, "a", arguments=MILK)) + calls(call(0, "a")) + CALLED, calls=ONE),
    Case("no-id", calls(call(0, None, arguments=MILK)) + CALLED, calls=ONE),
    Case("empty-id", calls(call(0, "", arguments=MILK)) + CALLED, calls=ONE),
    Case("id-that-is-no-text", calls(call(0, 17, arguments=MILK)) + CALLED, calls=ONE),
    Case(
        "id-before-name",
        calls(call(0, "a", None))
        + calls(call(0, None, "create_note", None))
        + calls(call(0, None, None, MILK))
        + CALLED,
        calls=ONE,
    ),
    Case(
        "name-in-parts",
        calls(call(0, "a", "create")) + calls(call(0, None, "_note")) + calls(call(0, None, None, MILK)) + CALLED,
        calls=ONE,
    ),
    Case(
        "arguments-as-object",
        calls(call(0, "a", arguments={"title": "Milk"})) + CALLED,
        calls=(("create_note", '{"title":"Milk"}'),),
    ),
    Case("one-call-instead-of-a-list", delta(tool_calls=call(0, "a", arguments=MILK)) + CALLED, calls=ONE),
    Case(
        "a-call-without-function",
        delta(tool_calls=[{"id": "a", "name": "create_note", "arguments": MILK}]) + CALLED,
        calls=ONE,
    ),
    Case(
        "legacy-function-call",
        delta(function_call={"name": "create_note", "arguments": ""})
        + delta(function_call={"arguments": MILK})
        + delta("function_call")
        + DONE,
        calls=ONE,
    ),
    Case("stop-after-calls", calls(call(0, "a", arguments=MILK)) + delta("stop") + DONE, calls=ONE),
    Case(
        "text-after-a-call",
        calls(call(0, "a", arguments=MILK)) + texts("I am ", "at it.") + CALLED,
        "I am at it.",
        calls=ONE,
    ),
    Case("name-with-a-space", calls(call(0, "a", " create_note", MILK)) + CALLED, calls=ONE),
    Case(
        "name-with-a-prefix",
        calls(call(0, "functions.create_note:0", "functions.create_note", MILK)) + CALLED,
        calls=ONE,
    ),
    Case(
        "no-such-tool", calls(call(0, "a", "delete everything!", "{}")) + CALLED, calls=(("delete_everything_", "{}"),)
    ),
    Case("no-name", calls(call(0, "a", None, "{}")) + CALLED, calls=(("unnamed", "{}"),)),
    Case("no-arguments", calls(call(0, "a", "list_notes", None)) + CALLED, calls=(("list_notes", ""),)),
    Case(
        "arguments-that-are-no-json",
        calls(call(0, "a", arguments='{"title": "Mi')) + delta("length") + DONE,
        calls=(("create_note", '{"title": "Mi'),),
        finish="length",
    ),
    Case(
        "arguments-5000-deep", calls(call(0, "a", arguments="[" * 5000)) + CALLED, calls=(("create_note", "[" * 5000),)
    ),
    Case(
        "signature",
        calls(call(None, "a", arguments=MILK, extra_content={"google": {"thought_signature": "c2ln"}}))
        + delta("stop")
        + DONE,
        calls=ONE,
    ),
    Case(
        "not-streamed",
        json.dumps(
            {
                "choices": [
                    {
                        "message": {"content": None, "tool_calls": [call(None, "a", arguments=MILK)]},
                        "finish_reason": "tool_calls",
                    }
                ]
            }
        ).encode(),
        calls=ONE,
    ),
    Case(
        "written-as-json",
        texts("<tool", '_call>\n{"name": "create_note", ', '"arguments": ', MILK, "}\n</tool_", "call>") + STOP,
        calls=(("create_note", '{"title":"Milk"}'),),
        usage=21,
    ),
    Case(
        "written-after-text",
        texts("I do it.\n<tool_call>\n", '{"name": "create_note", "arguments": {"title": "Milk"}}') + STOP,
        "I do it.\n",
        calls=(("create_note", '{"title":"Milk"}'),),
        usage=21,
    ),
    Case("written-as-function", texts("<function=create_note>", MILK, "</function>") + STOP, calls=ONE, usage=21),
    Case(
        "written-with-parameters",
        texts(
            "<tool_call>\n<function=create_note>\n<parameter=title>\nMi", "lk\n</parameter>\n</function>\n</tool_call>"
        )
        + STOP,
        calls=(("create_note", '{"title":"Milk"}'),),
        usage=21,
    ),
    Case(
        "written-with-keys",
        texts("<tool_call>create_note\n<arg_key>title</arg_key>\n<arg_value>Milk</arg_value>\n</tool_call>") + STOP,
        calls=(("create_note", '{"title":"Milk"}'),),
        usage=21,
    ),
    Case(
        "written-as-mistral",
        texts(
            "[TOOL_CALLS]",
            '[{"name": "create_note", "arguments": {"title": "Milk"}},'
            ' {"name": "create_note", "arguments": {"title": "Bread"}}]',
        )
        + STOP,
        calls=(("create_note", '{"title":"Milk"}'), ("create_note", '{"title":"Bread"}')),
        usage=21,
    ),
    Case("written-as-newer-mistral", texts("[TOOL_CALLS]create_note[ARGS]", MILK) + STOP, calls=ONE, usage=21),
    Case(
        "written-as-llama",
        texts('<|python_tag|>{"name": "create_note", "parameters": {"title": "Milk"}}') + STOP,
        calls=(("create_note", '{"title":"Milk"}'),),
        usage=21,
    ),
    Case(
        "written-bare",
        texts('{"name": "create', '_note", "parameters": {"title": "Milk"}}') + STOP,
        calls=(("create_note", '{"title":"Milk"}'),),
        usage=21,
    ),
    Case(
        "written-of-no-tool",
        texts('<tool_call>{"name": "make_tea", "arguments": {}}</tool_call>') + STOP,
        '<tool_call>{"name": "make_tea", "arguments": {}}</tool_call>',
        usage=21,
    ),
    Case(
        "written-in-code",
        texts('So:\n```\n<tool_call>{"name": "list_notes", "arguments": {}}</tool_call>\n```') + STOP,
        'So:\n```\n<tool_call>{"name": "list_notes", "arguments": {}}</tool_call>\n```',
        usage=21,
    ),
    Case(
        "json-that-is-an-answer", texts('{"name": "Ada",', ' "age": 36}') + STOP, '{"name": "Ada", "age": 36}', usage=21
    ),
]

FAILING_CASES = [
    Case("empty", delta(content="") + STOP, fails=provider_errors.EMPTY),
    Case("only-blanks", texts(" ", "\n") + STOP, fails=provider_errors.EMPTY),
    Case("calls-announced-and-not-made", delta("tool_calls") + DONE, fails=provider_errors.EMPTY),
    Case("cut", texts("Good"), "Good", fails=provider_errors.CUT),
    Case("cut-in-an-event", texts("Good") + delta(content=" day")[:-12], "Good", fails=provider_errors.CUT),
    Case(
        "cut-in-a-call",
        calls(call(0, "a", arguments='{"title"')),
        calls=(("create_note", '{"title"'),),
        fails=provider_errors.CUT,
    ),
    Case("nothing-at-all", b"", fails=provider_errors.CUT),
    Case("only-filtered", delta("content_filter") + DONE, fails=provider_errors.FILTERED),
    Case(
        "only-length",
        delta(reasoning_content="Hm") + delta("length") + DONE,
        reasoning="Hm",
        fails=provider_errors.USED_UP,
    ),
    Case("finish-error", texts("Good") + delta("error") + DONE, "Good", fails=provider_errors.STOPPED),
    Case("broken-event", texts("Good") + b'data: {"choices": [{]}\n\n' + STOP, "Good", fails=provider_errors.BROKEN),
    Case(
        "rate-limit",
        delta(content="")
        + data(
            {
                "error": {"code": 429, "message": "Slow down"},
                "choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "error"}],
            }
        ),
        fails=provider_errors.BUSY,
    ),
    Case(
        "error-event",
        texts("Good") + b'event: error\ndata: {"message": "Overloaded", "type": "overloaded_error"}\n\n',
        "Good",
        fails=provider_errors.OVERLOADED,
    ),
    Case("error-as-text", data({"error": "upstream timed out"}), fails=provider_errors.SERVER_ERROR),
    Case(
        "too-long",
        data({"error": {"message": "This model's maximum context length is 4096 tokens", "code": 400}}) + DONE,
        fails=provider_errors.TOO_LONG,
    ),
    Case(
        "tool-use-failed",
        b"event: error\n" + data({"error": {"message": "Failed to call a function.", "code": "tool_use_failed"}}),
        fails=provider_errors.BAD_CALL,
    ),
    Case(
        "old-vllm-error",
        data({"object": "error", "message": "boom", "type": "InternalServerError", "code": 500}),
        fails=provider_errors.SERVER_ERROR,
    ),
    Case(
        "error-with-200",
        b'{"error": {"message": "Model is overloaded", "code": 503}}',
        content_type="application/json",
        fails=provider_errors.OVERLOADED,
    ),
    Case(
        "list-of-errors-with-200",
        b'[{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "x"}}]',
        content_type="application/json",
        fails=provider_errors.BUSY,
    ),
    Case(
        "a-web-page",
        b"\n<!doctype html><html><body>Welcome to the hotel</body></html>",
        content_type="text/html",
        fails=provider_errors.NOT_A_SERVER,
    ),
    Case(
        "json-of-something-else",
        b'{"status": "ok"}',
        content_type="application/json",
        fails=provider_errors.NOT_A_SERVER,
    ),
]


def event(kind: str, **fields: Any) -> bytes:
    """An event of Responses, as bare as servers send them."""
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def response(kind: str = "response.completed", *output: Any, **fields: Any) -> bytes:
    usage = {"input_tokens": 21, "output_tokens": 4}
    return event(
        kind, response={"id": "r1", "status": kind.partition(".")[2], "output": output, "usage": usage} | fields
    )


def function(
    place: int, call_id: str | None, arguments: str, *, item_id: str | None = "fc", name: str = "create_note"
) -> Any:
    item = {"type": "function_call", "id": item_id, "call_id": call_id, "name": name, "arguments": arguments}
    return {"output_index": place, "item": {key: value for key, value in item.items() if value is not None}}


def part(text: str) -> bytes:
    return event("response.output_text.delta", delta=text)


ADDED, ITEM_DONE = "response.output_item.added", "response.output_item.done"
ARGS, ARGS_DONE = "response.function_call_arguments.delta", "response.function_call_arguments.done"
MESSAGE = {"type": "message", "id": "msg", "role": "assistant", "content": [{"type": "output_text", "text": "Good."}]}

RESPONSES_CASES = [
    Case("bare-deltas", part("Good ") + part("day.") + response(), "Good day.", usage=21),
    Case("done-instead-of-completed", part("Good.") + DONE, "Good."),
    Case(
        "text-in-the-item-only",
        event(ITEM_DONE, output_index=0, item=MESSAGE) + response("response.completed", MESSAGE),
        "Good.",
        usage=21,
    ),
    Case("text-at-the-end-only", response("response.completed", MESSAGE), "Good.", usage=21),
    Case(
        "not-streamed",
        json.dumps({"status": "completed", "output": [MESSAGE], "usage": {"input_tokens": 21}}).encode(),
        "Good.",
        content_type="application/json",
        usage=21,
    ),
    Case("refusal", event("response.refusal.delta", delta="I will not.") + response(), "I will not.", usage=21),
    Case(
        "call",
        event(ADDED, **function(0, "a", ""))
        + event(ARGS, output_index=0, item_id="fc", delta=MILK[:5])
        + event(ARGS, output_index=0, item_id="fc", delta=MILK[5:])
        + event(ARGS_DONE, output_index=0, item_id="fc", arguments=MILK)
        + event(ITEM_DONE, **function(0, "a", MILK))
        + response(),
        calls=ONE,
        usage=21,
    ),
    Case(
        "two-calls-in-one-place-with-one-id",
        b"".join(
            event(ADDED, **function(0, "a", ""))
            + event(ARGS, output_index=0, delta=text)
            + event(ITEM_DONE, **function(0, "a", text))
            for text in (MILK, BREAD)
        )
        + response(),
        calls=TWO,
        usage=21,
    ),
    Case(
        "two-calls-side-by-side",
        event(ADDED, **function(0, "a", "", item_id="f1"))
        + event(ADDED, **function(1, "b", "", item_id="f2"))
        + event(ARGS, item_id="f2", delta=BREAD)
        + event(ARGS, item_id="f1", delta=MILK)
        + response(),
        calls=TWO,
        usage=21,
    ),
    Case(
        "call-without-ids",
        event(ADDED, **function(0, None, "", item_id=None)) + event(ARGS, delta=MILK) + response(),
        calls=ONE,
        usage=21,
    ),
    Case("call-in-the-item-only", event(ITEM_DONE, **function(0, "a", MILK)) + response(), calls=ONE, usage=21),
    Case(
        "call-without-deltas",
        event(ADDED, **function(0, "a", ""))
        + event(ITEM_DONE, **function(0, "a", MILK))
        + response("response.completed", function(0, "a", MILK)["item"]),
        calls=ONE,
        usage=21,
    ),
    Case(
        "call-at-the-end-only",
        response("response.completed", function(0, "a", MILK)["item"], function(1, "b", BREAD)["item"]),
        calls=TWO,
        usage=21,
    ),
    Case(
        "arguments-that-are-no-json",
        event(ADDED, **function(0, "a", "")) + event(ARGS, output_index=0, delta='{"title') + response(),
        calls=(("create_note", '{"title'),),
        usage=21,
    ),
    Case(
        "text-after-a-call",
        event(ITEM_DONE, **function(0, "a", MILK)) + part("I am at it.") + response(),
        "I am at it.",
        calls=ONE,
        usage=21,
    ),
    Case(
        "summary-of-reasoning",
        event("response.reasoning_summary_part.added")
        + event("response.reasoning_summary_text.delta", delta="One.")
        + event("response.reasoning_summary_part.added")
        + event("response.reasoning_summary_text.delta", delta="Two.")
        + part("Good.")
        + response(),
        "Good.",
        "One.\n\nTwo.",
        usage=21,
    ),
    Case(
        "reasoning-told-twice",
        event("response.reasoning_text.delta", delta="Hm.")
        + event("response.reasoning_summary_text.delta", delta="Hm.")
        + event(ITEM_DONE, item={"type": "reasoning", "id": "rs", "summary": [{"type": "summary_text", "text": "Hm."}]})
        + part("Good.")
        + response(),
        "Good.",
        "Hm.",
        usage=21,
    ),
    Case(
        "reasoning-in-the-item-only",
        event(ITEM_DONE, item={"type": "reasoning", "id": "rs", "summary": [{"type": "summary_text", "text": "Hm."}]})
        + part("Good.")
        + response(),
        "Good.",
        "Hm.",
        usage=21,
    ),
    Case("think-tags", part("<think>Hm.</th") + part("ink>Good.") + response(), "Good.", "Hm.", usage=21),
    Case(
        "length",
        part("Good") + response("response.incomplete", incomplete_details={"reason": "max_output_tokens"}),
        "Good",
        finish="length",
        usage=21,
    ),
    Case(
        "filtered-in-the-middle",
        part("Good") + response("response.incomplete", incomplete_details={"reason": "content_filter"}),
        "Good",
        finish="content_filter",
        usage=21,
    ),
    Case(
        "only-filtered",
        response("response.incomplete", incomplete_details={"reason": "content_filter"}),
        fails=provider_errors.FILTERED,
    ),
    Case("empty", response(), fails=provider_errors.EMPTY),
    Case("cut", part("Good"), "Good", fails=provider_errors.CUT),
    Case(
        "failed",
        part("Good") + response("response.failed", error={"code": "server_error", "message": "x"}),
        "Good",
        fails=provider_errors.SERVER_ERROR,
    ),
    Case("failed-without-a-word", response("response.failed"), fails=provider_errors.SERVER_ERROR),
    Case(
        "failed-too-long",
        response("response.failed", error={"code": "context_length_exceeded", "message": "x"}),
        fails=provider_errors.TOO_LONG,
    ),
    Case("error-event", event("error", code="rate_limit_exceeded", message="x"), fails=provider_errors.BUSY),
    Case(
        "error-in-an-object",
        b'event: error\ndata: {"error": {"type": "server_error", "message": "x"}}\n\n',
        fails=provider_errors.SERVER_ERROR,
    ),
    Case(
        "error-with-200",
        b'{"error": {"message": "Model is overloaded"}}',
        content_type="application/json",
        fails=provider_errors.OVERLOADED,
    ),
]
for index, case in enumerate(RESPONSES_CASES):
    RESPONSES_CASES[index] = Case(**{**case.__dict__, "api": "responses"})

CASES = [*TEXT_CASES, *REASONING_CASES, *CALL_CASES, *FAILING_CASES, *RESPONSES_CASES]
