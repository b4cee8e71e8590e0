"""The titles that a note's text links to: `[[title]]`, `[[title|what is shown]]`."""

from contracts.note_links import LINKS_MAX
from contracts.notes import TITLE_MAX_CHARACTERS
from notes_service.folding import sort_key
from notes_service.plain_text import MARKDOWN


def linked_titles(body: str) -> set[str]:
    """Each as titles are sorted, so that case and accents do not matter. What stands in code is no link, nor is what no
    note can be called: an index row holds a title of any kind, but not a text of any length."""
    titles: dict[str, None] = {}
    if "[[" not in body:
        return set()
    for event in MARKDOWN.events(body):
        match event:
            case {"Start": {"Link": {"link_type": {"WikiLink": _}, "dest_url": target}}} if "\n" not in target:
                title = _title(target)
                if len(title) <= TITLE_MAX_CHARACTERS:
                    titles[sort_key(title)] = None
            case _:
                continue
        if len(titles) == LINKS_MAX:
            break
    return set(titles)


def _title(target: str) -> str:
    """In a table the `|` after a title has a backslash before it, which Markdown leaves to the title."""
    return target.removesuffix("\\").strip()
