"""Import of files with visible progress, and export as a zip whose import restores the notes unchanged."""

from pathlib import Path

from playwright.async_api import expect

from tests.e2e.person import NewContext, new_username, open_window


async def test_notes_come_in_and_go_out_as_files(new_context: NewContext, url: str, tmp_path: Path) -> None:
    context = await new_context()
    here = await open_window(context, url, new_username(), "Create account")
    await here.page.get_by_role("button", name="Import and export").click()
    dialog = here.page.get_by_role("dialog", name="Import and export")
    files = [{"name": f"{name}.md", "mimeType": "text/markdown", "buffer": b"body"} for name in ("Ink", "Paper")]
    await dialog.get_by_label("Files", exact=True).set_input_files(files)  # pyright: ignore[reportArgumentType]
    await expect(dialog.get_by_text("Done: 2 new.")).to_be_visible()

    async with here.page.expect_download() as downloading:
        await dialog.get_by_role("link", name="Download all notes").click()
    zipped = tmp_path / "notes.zip"
    await (await downloading.value).save_as(zipped)
    await dialog.get_by_label("Files", exact=True).set_input_files(zipped)
    await expect(dialog.get_by_text("Done: 2 already here.")).to_be_visible()
    await here.page.keyboard.press("Escape")
    for title in ("Ink", "Paper"):
        await expect(here.note(title)).to_have_count(1)
