"""All tools, by name, and as the SDK wants them."""

from typing import Any

from agents import FunctionTool
from agents.tool_context import ToolContext

from agent_service.agent.context import RunContext
from agent_service.repository import Call, ClaimedRun
from agent_service.tools.calls import perform
from agent_service.tools.edit import EDITING
from agent_service.tools.reading import READING
from agent_service.tools.tool import Tool
from agent_service.tools.writing import WRITING
from contracts.chat import ApprovalPolicy

TOOLS: dict[str, Tool[Any]] = {tool.name: tool for tool in (*READING, *WRITING, EDITING)}
ASKED: dict[ApprovalPolicy, tuple[str, ...]] = {
    "always": ("change", "destroy"),
    "destructive": ("destroy",),
    "never": (),
}
"""The effects that wait for the user's word, by what they have set."""


def needs_word(run: ClaimedRun, name: str) -> bool:
    """Whether a call of this tool waits for the user: by their settings, and what they allowed in the conversation."""
    tool = TOOLS.get(name)
    if tool is None or name in run.allowed_tools:
        return False
    return tool.effect in ASKED[run.approval]


def sdk_tools(run: ClaimedRun) -> list[Any]:
    """A function in the place of the flag would not be asked about a call whose arguments are no JSON."""
    return [SDK_TOOLS[name, needs_word(run, name)] for name in TOOLS]


def _sdk_tool(tool: Tool[Any], *, waits: bool) -> FunctionTool:
    return FunctionTool(
        name=tool.name,
        description=tool.description,
        params_json_schema=tool.schema,
        on_invoke_tool=_invoke,
        strict_json_schema=False,
        needs_approval=waits,
    )


async def _invoke(context: ToolContext[RunContext], arguments: str) -> str:
    call = Call(context.tool_call_id, context.tool_name, arguments)
    return await perform(context.context, call, TOOLS.get(call.name))


SDK_TOOLS = {(tool.name, waits): _sdk_tool(tool, waits=waits) for tool in TOOLS.values() for waits in (False, True)}
