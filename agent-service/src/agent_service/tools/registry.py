"""All tools, by name, and as the SDK wants them."""

from typing import Any

from agents import FunctionTool
from agents.tool_context import ToolContext

from agent_service.agent.context import RunContext
from agent_service.repository import Call
from agent_service.tools.calls import perform
from agent_service.tools.edit import EDITING
from agent_service.tools.reading import READING
from agent_service.tools.tool import Tool
from agent_service.tools.writing import WRITING

TOOLS: dict[str, Tool[Any]] = {tool.name: tool for tool in (*READING, *WRITING, EDITING)}


def sdk_tools() -> list[Any]:
    return [
        FunctionTool(
            name=tool.name,
            description=tool.description,
            params_json_schema=tool.schema,
            on_invoke_tool=_invoke,
            strict_json_schema=False,
        )
        for tool in TOOLS.values()
    ]


async def _invoke(context: ToolContext[RunContext], arguments: str) -> str:
    call = Call(context.tool_call_id, context.tool_name, arguments)
    return await perform(context.context, call, TOOLS.get(call.name))
