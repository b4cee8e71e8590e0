"""One request that a service answers: its subject and the models of both directions."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel

RequestT = TypeVar("RequestT", bound=BaseModel)
ResponseT = TypeVar("ResponseT", bound=BaseModel)


class Empty(BaseModel):
    """Nothing to say."""


@dataclass(frozen=True)
class Operation(Generic[RequestT, ResponseT]):
    """`timeout`: seconds after which the caller gives up with `ServiceUnavailable`."""

    subject: str
    request: type[RequestT]
    response: type[ResponseT]
    timeout: float = 5.0

    @property
    def name(self) -> str:
        """The endpoint's name in the micro protocol, which allows no dots."""
        return self.subject.replace(".", "-")
