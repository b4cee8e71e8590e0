"""All SQL of the service. Every statement names the user."""

from notes_service.repository.changes import Changes
from notes_service.repository.reading import Reading
from notes_service.repository.searching import Found, Searching
from notes_service.repository.writing import Writing, writing

__all__ = ["Changes", "Found", "Reading", "Searching", "Writing", "writing"]
