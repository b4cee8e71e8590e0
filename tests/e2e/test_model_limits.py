"""What a model cannot do is said at its answer, and can be acted on."""

from pathlib import Path

from playwright.async_api import expect

from standalone.system import System, running
from tests.conftest import DEMO
from tests.e2e.person import NewContext, new_username, open_window
from tests.model_server import ModelServer, Replay, Status, Text
from tests.model_server.http import Request

CUT = (
    b'data: {"choices":[{"index":0,"delta":{"content":"The first half."}}]}\n\n'
    b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"length"}]}\n\n'
    b"data: [DONE]\n\n"
)


async def test_an_answer_that_was_cut_off_says_so_and_goes_on(
    new_context: NewContext, scripted_system: System, model: ModelServer
) -> None:
    model.script(Replay([CUT]))
    model.default = Text("The second half.")
    context = await new_context()
    here = await open_window(context, scripted_system.url, new_username(), "Create account")
    await here.ask("Tell me everything")
    await expect(here.conversation.get_by_text("Cut off")).to_be_visible()

    await here.page.reload()
    await expect(here.conversation.get_by_text("Cut off")).to_be_visible()
    await here.conversation.get_by_role("button", name="Continue").click()
    await expect(here.conversation.get_by_text("The second half.")).to_be_visible()
    await expect(here.conversation.get_by_role("button", name="Continue")).to_have_count(0)


async def test_a_model_without_tools_answers_and_says_that_it_cannot_see_the_notes(
    new_context: NewContext, model: ModelServer, tmp_path: Path
) -> None:
    """In a system of its own, which remembers what its model does not take."""

    def answer(request: Request) -> Text | Status:
        return Status(400, message="local does not support tools") if "tools" in request.json else Text("I can talk.")

    model.default = answer
    environment = DEMO | {"OPENAI_BASE_URL": model.base_url, "INKSTREAM_MODEL": "local"}
    async with running(data_dir=tmp_path, environment=environment) as system:
        context = await new_context()
        here = await open_window(context, system.url, new_username(), "Create account")
        await here.ask("Hello")
        await expect(here.conversation.get_by_text("I can talk.")).to_be_visible()
        await expect(here.conversation.get_by_text("Without your notes")).to_be_visible()
        await context.close()
