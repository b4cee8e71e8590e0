"""Publishes a model's output as events of the run."""

from agent_service.agent.context import RunContext
from agent_service.models.wire import Simplification
from agent_service.repository.values import plain_text
from contracts.run_events import Retrying, ToolCallBegan, Usage


class RunListener:
    """Used for all requests for one response. If the reasoning of an earlier attempt was published, that of a later one
    is not."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._simplifications = 0
        self._publisher = context.publisher
        self._incoming = context.incoming
        self._publish_token = context.publisher.token
        self._has_reasoning = False
        self._is_quiet = False

    def start_over(self) -> None:
        """To be called before the response is requested again."""
        self._is_quiet = self._has_reasoning
        self._incoming.start_over(self._context.model)

    def text(self, text: str) -> None:
        self._incoming.parts.append(text)
        self._publish_token(text)

    def reasoning(self, text: str) -> None:
        self._has_reasoning = True
        if not self._is_quiet:
            self._publisher.reasoning(text)

    def tool_call_began(self, call_id: str, name: str) -> None:
        self._incoming.announced[call_id] = name
        self._publisher.emit(ToolCallBegan(call_id=call_id, name=plain_text(name)))

    def tool_args(self, call_id: str, delta: str) -> None:
        self._publisher.tool_args(call_id, delta)

    def counted(self, input_tokens: int, output_tokens: int) -> None:
        counted = Usage(input_tokens=input_tokens, output_tokens=output_tokens)
        self._incoming.counted = self._context.priced(counted)

    def simplified(self, reason: Simplification) -> None:
        self._simplifications += 1
        attempt = self._simplifications + 1
        self._publisher.emit(
            Retrying(attempt=attempt, max_attempts=attempt, delay_ms=0, reason=reason, model=self._context.model)
        )
