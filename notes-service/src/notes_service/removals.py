"""Whether a save removes so much that the version before it has to stay in the history."""

from collections.abc import Callable

from contracts.notes import NoteContent

MUCH_CHARACTERS = 20


def removes_much(before: NoteContent, after: NoteContent) -> bool:
    """Text that was replaced counts as removed; what was moved, too."""
    tags = sum(len(tag) for tag in set(before.tags) - set(after.tags))
    return tags + _removed(before.title, after.title) + _removed(before.body, after.body) > MUCH_CHARACTERS


def _removed(before: str, after: str) -> int:
    """How many characters of `before` are neither in the common beginning of both nor in their common end."""
    shorter = min(len(before), len(after))
    start = _longest(shorter, lambda length: before[:length] == after[:length])
    end = _longest(shorter - start, lambda length: before[len(before) - length :] == after[len(after) - length :])
    return len(before) - start - end


def _longest(most: int, is_common: Callable[[int], bool]) -> int:
    """The greatest length up to `most` that is common, by bisection: comparing slices is much faster than a loop over
    characters."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if is_common(middle):
            low = middle
        else:
            high = middle - 1
    return low
