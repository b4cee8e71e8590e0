"""Which request is answered by what. A database that is away is told to all of their callers alike."""

from contracts import note_history, note_links, note_transfer, notes
from notes_service.backlinks import Backlinks
from notes_service.history import NotesHistory
from notes_service.service import NotesService
from notes_service.transfers import Exports, ImportDesk
from servicekit.database_timeout import with_database_timeout
from servicekit.rpc import Handlers


def handlers(
    service: NotesService, history: NotesHistory, backlinks: Backlinks, desk: ImportDesk, exports: Exports
) -> Handlers:
    answers = Handlers(wrap=with_database_timeout)
    answers.add(notes.CREATE, service.create)
    answers.add(notes.GET, service.get)
    answers.add(notes.LIST, service.page)
    answers.add(notes.SEARCH, service.search)
    answers.add(notes.UPDATE, service.update)
    answers.add(notes.DELETE, service.delete)
    answers.add(notes.RESTORE, service.restore)
    answers.add(notes.PURGE, service.purge)
    answers.add(notes.OVERVIEW, service.overview)
    answers.add(notes.CHANGES, service.changes)
    answers.add(note_history.REVISIONS, history.page)
    answers.add(note_history.REVISION, history.one)
    answers.add(note_history.RESTORE_REVISION, history.restore)
    answers.add(note_history.UNDO_RUN, history.undo_run)
    answers.add(note_links.BACKLINKS, backlinks.page)
    answers.add(note_transfer.IMPORT_BEGIN, desk.begin)
    answers.add(note_transfer.IMPORT_CHUNK, desk.send)
    answers.add(note_transfer.IMPORT_START, desk.start)
    answers.add(note_transfer.IMPORT_GET, desk.status)
    answers.add(note_transfer.EXPORT, exports.open)
    return answers
