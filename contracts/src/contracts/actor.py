"""The actor: part of every request, and stored with every change."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

from contracts.ids import Id
from contracts.text import no_nul

CallId = Annotated[str, StringConstraints(max_length=200), AfterValidator(no_nul)]
"""The id of a tool call; unique in a run."""

ActorKind = Literal["user", "agent", "api", "mcp"]


class PublicActor(BaseModel):
    """The public part of an actor: through what a change was made, without the user."""

    model_config = ConfigDict(frozen=True)

    kind: ActorKind
    run_id: Id | None = None
    call_id: CallId | None = None


class Actor(PublicActor):
    """The user in whose name something happens, and through what: a form, the assistant, a program.

    Set by the gateway from the session and by the agent service from the run. A model or a client never chooses it.
    """

    user_id: Id

    def public(self) -> PublicActor:
        return PublicActor(kind=self.kind, run_id=self.run_id, call_id=self.call_id)
