"""Changes that wait to be embedded, in turns of their users.

**Invariant: whose turn it is does not depend on how many changes a user has waiting.** Users take turns, one note each,
and whoever has had a turn goes behind the others. Nothing grows without bound: a user has `OF_USER` notes here at most,
and all users together `IN_ALL`.
"""

from nats.aio.msg import Msg

from notes_service.repository.embeddings import NoteKey

OF_USER, IN_ALL = 64, 2_048


class PendingChanges:
    def __init__(self) -> None:
        self._of_user: dict[str, dict[str, list[Msg]]] = {}
        """By user, in the order of their turns, and by note."""
        self._notes = 0

    def __bool__(self) -> bool:
        return self._notes > 0

    @property
    def is_full(self) -> bool:
        return self._notes >= IN_ALL

    @property
    def messages(self) -> list[Msg]:
        return [msg for notes in self._of_user.values() for of_note in notes.values() for msg in of_note]

    def add(self, key: NoteKey, msg: Msg) -> bool:
        """False if the user has too many waiting: this one is not taken."""
        user_id, note_id = key
        notes = self._of_user.get(user_id, {})
        if note_id not in notes and len(notes) >= OF_USER:
            return False
        self.put_back(key, [*notes.get(note_id, ()), msg])
        return True

    def put_back(self, key: NoteKey, messages: list[Msg]) -> None:
        """Of a note that was taken and had no room."""
        user_id, note_id = key
        notes = self._of_user.setdefault(user_id, {})
        self._notes += note_id not in notes
        notes[note_id] = messages

    def take(self, count: int) -> dict[NoteKey, list[Msg]]:
        """The next notes with their changes, `count` at most."""
        taken: dict[NoteKey, list[Msg]] = {}
        while self._of_user and len(taken) < count:
            user_id = next(iter(self._of_user))
            notes = self._of_user.pop(user_id)
            note_id = next(iter(notes))
            taken[user_id, note_id] = notes.pop(note_id)
            if notes:
                self._of_user[user_id] = notes  # behind the others
        self._notes -= len(taken)
        return taken

    def clear(self) -> None:
        self._of_user.clear()
        self._notes = 0
