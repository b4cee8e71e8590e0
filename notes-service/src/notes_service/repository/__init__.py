"""All SQL of the service. Every statement is restricted to a user, except those of background work for all users."""

from notes_service.repository.changes import ChangeRepository
from notes_service.repository.note_transaction import NoteTransaction, note_transaction
from notes_service.repository.notes import NoteRepository
from notes_service.repository.search import Ranking, SearchMatch, SearchRepository

__all__ = [
    "ChangeRepository",
    "NoteRepository",
    "NoteTransaction",
    "Ranking",
    "SearchMatch",
    "SearchRepository",
    "note_transaction",
]
