"""An operation of a service: its subject, and the models of its request and response."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel

RequestT = TypeVar("RequestT", bound=BaseModel)
ResponseT = TypeVar("ResponseT", bound=BaseModel)


class Empty(BaseModel):
    """An empty request or response."""


@dataclass(frozen=True)
class Operation(Generic[RequestT, ResponseT]):
    """`timeout`: seconds after which the caller gets `ServiceUnavailable`."""

    subject: str
    request: type[RequestT]
    response: type[ResponseT]
    timeout: float = 5.0

    @property
    def name(self) -> str:
        """The endpoint's name in the micro protocol, which allows no dots."""
        return self.subject.replace(".", "-")
