"""Maps operations to functions. Each answers `ServiceUnavailable` while the database cannot be reached, and if its user
has so many requests under way that its turn does not come in time."""

from contracts import files, note_history, note_links, note_transfer, notes
from notes_service.exports import ExportService
from notes_service.files.service import FileService
from notes_service.imports import ImportService
from notes_service.link_service import LinkService
from notes_service.revisions import RevisionService
from notes_service.service import NotesService
from notes_service.undo import UndoService
from servicekit.database_timeout import with_database_timeout
from servicekit.fair_share import FairShare
from servicekit.rpc import Handler, Handlers

MAX_UNDER_WAY, MAX_OF_USER = 8, 4
"""Requests, in all and of one user: fewer than there are database connections, so that nobody waits for one of those.
The other requests of a user wait for that user's own, who can write one note at a time anyway."""
MAX_WAITING = 512
FILES_UNDER_WAY, FILES_OF_USER = 6, 2
"""Files that are looked at: read from the object store, which may be slow, and pictures decoded."""
FILE_SECONDS = 110.0
"""A caller waits for 120 s."""


def handlers(
    *,
    service: NotesService,
    revisions: RevisionService,
    undo: UndoService,
    links: LinkService,
    imports: ImportService,
    exports: ExportService,
    file_service: FileService,
) -> Handlers:
    share = FairShare(MAX_UNDER_WAY, MAX_OF_USER, waiting=MAX_WAITING)

    def in_time_and_turn(handler: Handler) -> Handler:
        return with_database_timeout(share.of_user(handler))

    file_share = FairShare(FILES_UNDER_WAY, FILES_OF_USER, waiting=MAX_WAITING)

    def in_turn_of_files(handler: Handler) -> Handler:
        return with_database_timeout(file_share.of_user(handler), FILE_SECONDS)

    result = Handlers(wrap=in_time_and_turn)
    result.add(notes.CREATE, service.create)
    result.add(notes.GET, service.get)
    result.add(notes.LIST, service.page)
    result.add(notes.SEARCH, service.search)
    result.add(notes.UPDATE, service.update)
    result.add(notes.DELETE, service.delete)
    result.add(notes.RESTORE, service.restore)
    result.add(notes.PURGE, service.purge)
    result.add(notes.EMPTY_TRASH, service.empty_trash)
    result.add(notes.TAGS, service.tags)
    result.add(notes.OVERVIEW, service.overview)
    result.add(notes.USAGE, service.usage)
    result.add(notes.CHANGES, service.changes)
    result.add(note_history.REVISIONS, revisions.page)
    result.add(note_history.REVISION, revisions.revision)
    result.add(note_history.RESTORE_REVISION, revisions.restore)
    result.add(note_history.UNDO_RUN, undo.undo_run)
    result.add(note_history.UNDO_RUNS, undo.undo_runs)
    result.add(note_links.BACKLINKS, links.backlinks)
    result.add(note_links.RESOLVE_LINKS, links.resolve)
    result.add(note_links.RELINK, links.relink)
    result.add(note_transfer.IMPORT_BEGIN, imports.begin)
    result.add(note_transfer.IMPORT_CHUNK, imports.store_chunk)
    result.add(note_transfer.IMPORT_START, imports.start)
    result.add(note_transfer.IMPORT_GET, imports.status)
    result.add(note_transfer.EXPORT, exports.open)
    result.add(files.UPLOAD_BEGIN, file_service.begin)
    result.add(files.UPLOAD_GET, file_service.upload)
    result.add(files.UPLOAD_PART, file_service.add_part)
    result.add(files.UPLOAD_ABORT, file_service.abort)
    result.add(files.GET, file_service.get)
    result.add(files.DELETE, file_service.delete)
    result.add(files.USAGE, file_service.usage)
    result.add_unwrapped(files.UPLOAD_FINISH, in_turn_of_files(file_service.finish))
    result.add_unwrapped(files.PREVIEW, in_turn_of_files(file_service.preview))
    return result
