"""The titles that a note's text links to: `[[title]]`, `[[title|what is shown]]`."""

from contracts.note_links import LINKS_MAX
from contracts.notes import TITLE_MAX_CHARACTERS
from notes_service.folding import sort_key
from notes_service.plain_text import MARKDOWN


def linked_titles(body: str) -> set[str]:
    """Returns sort keys, so that case and accents do not matter. Text in code is no link, and neither is text that
    cannot be a title: the length of an index row is limited."""
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
    """Removes the backslash that escapes the `|` after a title in a table."""
    return target.removesuffix("\\").strip()
