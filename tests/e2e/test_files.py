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


async def test_what_was_left_out_of_an_imported_note_is_said(new_context: NewContext, url: str) -> None:
    context = await new_context()
    here = await open_window(context, url, new_username(), "Create account")
    await here.page.get_by_role("button", name="Import and export").click()
    dialog = here.page.get_by_role("dialog", name="Import and export")
    text = b"---\ncreated: soon\ntitle: Part one: the beginning\n---\nbody"
    files = [
        {"name": "Part.md", "mimeType": "text/markdown", "buffer": text},
        {"name": "Refused.md", "mimeType": "text/markdown", "buffer": b"\xff\xfe\xfa"},
    ]
    await dialog.get_by_label("Files", exact=True).set_input_files(files)  # pyright: ignore[reportArgumentType]
    await expect(dialog.get_by_text("Done: 1 new.")).to_be_visible()
    partly = dialog.get_by_role("list", name="Imported, but not all of it")
    await expect(partly).to_have_text('Part.md: "created" is left out: "soon" is not a date.')
    await expect(dialog.get_by_role("list", name="Not imported")).to_contain_text("Refused.md")
    await here.page.keyboard.press("Escape")
    await expect(here.note("Part one: the beginning")).to_have_count(1)
