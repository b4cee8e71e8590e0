"""The import of a zip with many notes: progress and unreadable files; the archive and the trash."""

import asyncio
import io
import os
import re
import zipfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import asyncpg
from playwright.async_api import expect

from standalone.system import System
from tests.e2e.person import NewContext, new_username, open_window

NOTES = 400
LONG_AGO = datetime(2020, 6, 15)
PNG = b"\x89PNG\r\n\x1a\n"


def a_zip_of_many() -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as folder:
        for number in range(NOTES):
            folder.writestr(f"notes/Note {number}.md", f"---\ntags: [imported]\n---\nThe {number}th note.\n")
        folder.writestr("notes/picture.png", PNG)
        folder.writestr("notes/broken.md", b"\xff\xfe\x00")
    return written.getvalue()


@asynccontextmanager
async def no_writes(system: System, note_id: str) -> AsyncGenerator[None]:
    """Blocks writes of this note's user until the block ends."""
    db = await asyncpg.connect(system.postgres.dsn("notes"))
    try:
        async with db.transaction():
            await db.execute(
                "SELECT FROM notes.feed JOIN notes.notes USING (user_id) WHERE id = $1 FOR UPDATE OF feed", note_id
            )
            yield
    finally:
        await db.close()


async def test_many_notes_come_in_with_progress_and_go_out_again(
    new_context: NewContext, system: System, tmp_path: Path
) -> None:
    url = system.url
    file = tmp_path / "vault.zip"
    file.write_bytes(await asyncio.to_thread(a_zip_of_many))
    context = await new_context()
    here = await open_window(context, url, new_username(), "Create account")
    page = here.page
    made = await page.request.post(f"{url}/api/notes", data={"title": "The first"})
    note = await made.json()
    await page.get_by_role("button", name="Import and export").click()
    dialog = page.get_by_role("dialog", name="Import and export")
    await page.evaluate(WATCH)
    async with no_writes(system, note["id"]):
        await dialog.get_by_label("Files", exact=True).set_input_files(file)
        await expect(dialog.get_by_role("progressbar", name="Import")).to_be_visible()
    await expect(dialog.get_by_text(f"Done: {NOTES} new")).to_be_visible()
    skipped = dialog.get_by_role("list", name="Not imported")
    for name in ("picture.png", "broken.md"):
        await expect(skipped.get_by_text(name)).to_be_visible()
    seen: list[int] = await page.evaluate("window.progress")
    assert seen == sorted(seen)
    assert any(0 < value < NOTES for value in seen), f"no progress was seen: {seen}"

    async with page.expect_download() as downloading:
        await dialog.get_by_role("link", name="Download all notes").click()
    exported = tmp_path / "export.zip"
    await (await downloading.value).save_as(exported)
    with zipfile.ZipFile(exported) as folder:
        assert sum(re.search(r"Note \d+\.md$", name) is not None for name in folder.namelist()) == NOTES


async def test_a_folder_comes_in_as_it_lies_on_the_disk(new_context: NewContext, url: str, tmp_path: Path) -> None:
    vault = tmp_path / "vault"
    for place, text in {"Ideas.md": "# Ideas\n", "deep/er/Talk.md": "Say it.", ".obsidian/app.md": "hidden"}.items():
        (vault / place).parent.mkdir(parents=True, exist_ok=True)
        (vault / place).write_text(text)
    (vault / "cat.png").write_bytes(PNG)
    os.utime(vault / "deep/er/Talk.md", (LONG_AGO.timestamp(),) * 2)
    context = await new_context()
    here = await open_window(context, url, new_username(), "Create account")
    await here.page.get_by_role("button", name="Import and export").click()
    dialog = here.page.get_by_role("dialog", name="Import and export")
    for outcome in ("Done: 2 new", "Done: 2 already here"):
        await dialog.get_by_label("Folder", exact=True).set_input_files(vault)
        await expect(dialog.get_by_text(outcome)).to_be_visible()
    await expect(dialog.get_by_role("list", name="Not imported").get_by_role("listitem")).to_have_count(1)
    await expect(dialog.get_by_text("vault/cat.png")).to_be_visible()
    await here.page.keyboard.press("Escape")
    await expect(here.notes.get_by_role("listitem")).to_have_count(2)
    listed = await (await context.request.get(f"{url}/api/notes")).json()
    assert {note["title"]: note["updated_at"][:4] for note in listed["notes"]}["Talk"] == "2020"


async def test_a_note_goes_into_the_archive_and_comes_out(new_context: NewContext, url: str) -> None:
    context = await new_context()
    here = await open_window(context, url, new_username(), "Create account")
    page = here.page
    assert (await page.request.post(f"{url}/api/notes", data={"title": "Old plans"})).ok
    await here.note("Old plans").click()
    await page.get_by_role("button", name="Note actions").click()
    await page.get_by_role("menuitem", name="Archive").click()
    await expect(here.note("Old plans")).to_have_count(0)
    await page.get_by_role("button", name="Archive", exact=True).click()
    await here.note("Old plans").click()
    await page.get_by_role("button", name="Note actions").click()
    await page.get_by_role("menuitem", name="Take out of the archive").click()
    await expect(here.note("Old plans")).to_have_count(0)
    await page.get_by_role("button", name="All notes").click()
    await expect(here.note("Old plans")).to_have_count(1)


async def test_a_note_goes_into_the_trash_comes_back_and_is_deleted_for_good(new_context: NewContext, url: str) -> None:
    context = await new_context()
    here = await open_window(context, url, new_username(), "Create account")
    page = here.page
    made = await page.request.post(f"{url}/api/notes", data={"title": "Diary", "body": "a secret"})
    note = await made.json()

    async def delete() -> None:
        await here.note("Diary").click()
        await page.get_by_role("button", name="Note actions").click()
        await page.get_by_role("menuitem", name="Delete", exact=True).click()
        await expect(here.note("Diary")).to_have_count(0)

    await delete()
    await page.get_by_role("button", name="Undo", exact=True).click()
    await expect(here.note("Diary")).to_have_count(1)

    await delete()
    await page.get_by_role("button", name="Trash", exact=True).click()
    await here.note("Diary").click()
    await page.get_by_role("button", name="Restore", exact=True).click()
    await expect(here.note("Diary")).to_have_count(0)
    await page.get_by_role("button", name="All notes").click()
    await expect(here.note("Diary")).to_have_count(1)

    await delete()
    await page.get_by_role("button", name="Trash", exact=True).click()
    await here.note("Diary").click()
    await page.get_by_role("button", name="Delete for good").click()
    await page.get_by_role("button", name="Yes, delete it and its history").click()
    await expect(page.get_by_text("The trash is empty.")).to_be_visible()
    assert (await page.request.get(f"{url}/api/notes/{note['id']}")).status == 404


WATCH = """() => {
  window.progress = [];
  new MutationObserver(() => {
    const bar = document.querySelector("progress[aria-label=Import]");
    if (bar && bar.position > 0 && window.progress.at(-1) !== bar.value) window.progress.push(bar.value);
  }).observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
}"""
"""Records the values of the progress bar."""
