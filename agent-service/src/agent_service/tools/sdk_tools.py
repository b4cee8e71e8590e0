"""The registry's tools with their implementations, in the form that the SDK takes."""

from collections.abc import Collection
from typing import Any

from agents import FunctionTool
from agents.tool_context import ToolContext

from agent_service.agent.context import RunContext
from agent_service.call_arguments import raw_arguments
from agent_service.repository import ClaimedRun, RequestedCall
from agent_service.tools.calls import perform
from agent_service.tools.edit import EDITING
from agent_service.tools.implementation import Implementation
from agent_service.tools.reading import READING
from agent_service.tools.writing import WRITING
from contracts.tools import TOOLS, Tool

_BOUND: tuple[Implementation[Any], ...] = (*READING, *WRITING, EDITING)
IMPLEMENTATIONS: dict[str, Implementation[Any]] = {bound.tool.name: bound for bound in _BOUND}


def requires_approval(run: ClaimedRun, name: str) -> bool:
    """Whether a call of this tool waits for the user's approval: by their setting, unless they have allowed the tool
    for the conversation."""
    tool = TOOLS.get(name)
    return tool is not None and name not in run.allowed_tools and tool.requires_approval(run.approval)


def tools_requiring_approval(run: ClaimedRun) -> frozenset[str]:
    return frozenset(name for name in TOOLS if requires_approval(run, name))


def sdk_tools(requiring_approval: Collection[str]) -> list[FunctionTool]:
    """`needs_approval` is a flag, not a function: the SDK does not ask the function about calls whose arguments are no
    JSON."""
    return [SDK_TOOLS[name, name in requiring_approval] for name in TOOLS]


def _sdk_tool(tool: Tool[Any], *, needs_approval: bool) -> FunctionTool:
    return FunctionTool(
        name=tool.name,
        description=tool.description,
        params_json_schema=tool.schema_of_arguments(),
        on_invoke_tool=_invoke,
        strict_json_schema=False,
        needs_approval=needs_approval,
    )


async def _invoke(context: ToolContext[RunContext], arguments: str) -> str:
    """`arguments` are an object's JSON; what the model wrote instead of one is beside them in the call."""
    written = raw_arguments(context.tool_call.model_dump()) if context.tool_call else arguments
    call = RequestedCall(context.tool_call_id, context.tool_name, written)
    return await perform(context.context, call, IMPLEMENTATIONS.get(call.name))


SDK_TOOLS = {
    (tool.name, needs_approval): _sdk_tool(tool, needs_approval=needs_approval)
    for tool in TOOLS.values()
    for needs_approval in (False, True)
}
