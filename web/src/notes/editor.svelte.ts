/** The editor: opens notes from the server, the cache, or a draft adopted from a closed tab. */

import { createContext } from "svelte";

import { notes as calls } from "../api/calls.ts";
import type { NoteFields } from "../api/note-fields.ts";
import { explain, isPassing, Problem, reportUnlessRequestFailure } from "../api/http.ts";
import type { Id, Note, NoteChange } from "../api/types.ts";
import type { DraftStorage } from "../offline/drafts.ts";
import type { NoteCache } from "../offline/note-cache.ts";
import type { Draft } from "../offline/store.ts";
import { OpenNotes } from "./open-notes.svelte.ts";
import { UndoHistories } from "./undo-histories.ts";
import { OpenNote } from "./sync/open-note.svelte.ts";

const MISSING =
  "There is no note at this address. It may have been deleted for good, or the link is not complete.";

export interface EditorEvents {
  saved(note: Note): void;
  /** The server has moved it to the trash. */
  trashed(id: Id): void;
  /** A delete or restore was refused, because the note was changed elsewhere first. */
  stayed(note: Note, open: OpenNote): void;
  /** Another note, or none, is open now. */
  moved(id: Id | null): void;
  /** A note that is saved in the background needs the user: it has a conflict or was refused. */
  stuck(note: OpenNote): void;
  /** A note was read from the server. */
  read(note: Note): void;
}

export class Editor {
  loading = $state<Id | null>(null);
  error = $state<string | null>(null);
  /** The words to show in a note: those for which it was found by a search. */
  found = $state.raw<{ id: Id; words: string[] } | null>(null);
  /** A read failed because the server could not be reached. */
  missed = false;
  /** The note that was requested last. */
  #wanted: Id | null = null;
  readonly openNotes: OpenNotes;
  readonly undoHistories = new UndoHistories();
  #events: EditorEvents;
  #drafts: DraftStorage;
  #cache: NoteCache;

  constructor(events: EditorEvents, drafts: DraftStorage, cache: NoteCache) {
    this.#events = events;
    this.#drafts = drafts;
    this.#cache = cache;
    this.openNotes = new OpenNotes((note) => this.#events.stuck(note));
  }

  get current(): OpenNote | null {
    return this.openNotes.current;
  }

  get openId(): Id | null {
    return this.current?.id ?? this.loading;
  }

  async open(id: Id): Promise<void> {
    if (this.current?.id === id && !this.loading) return;
    this.openNotes.leave();
    const left = this.openNotes.find(id);
    if (left) return this.#enter(left);
    this.loading = this.#wanted = id;
    this.error = null;
    this.#events.moved(id);
    try {
      const note = await this.#read(id);
      if (this.loading === id) this.#enter(this.#note(note));
    } catch (error) {
      if (this.loading !== id) return;
      this.loading = null;
      this.openNotes.current = null;
      const isMissing =
        error instanceof Problem && (error.status === 404 || error.code === "validation_failed");
      this.error = isMissing ? MISSING : explain(error);
    }
  }

  /** A draft adopted from a closed tab: saved in the background, or in the editor if its note is open. */
  resume(draft: Draft): void {
    const note = this.#note(draft.base, draft);
    if (this.current && this.current.id === note.id && note.id && !this.current.dirty) {
      this.openNotes.setCurrent(note);
      void note.flush();
    } else this.openNotes.saveInBackground(note);
  }

  /** Opens a note that is being saved in the background. */
  show(note: OpenNote): void {
    if (this.current === note) return;
    this.openNotes.leave();
    this.#enter(note);
  }

  /** Drops a note's unsaved changes, because it was deleted for good, and closes it. */
  discard(id: Id): void {
    this.openNotes.discard(id);
    this.undoHistories.forget(id);
    if (this.openId === id) this.close();
  }

  startNew(): void {
    this.openNotes.leave();
    this.#enter(this.#note(null));
  }

  /** Creates a note with the given fields and saves it at once. */
  async write(fields: Partial<NoteFields>): Promise<void> {
    this.startNew();
    this.current?.edit(fields);
    await this.current?.flush();
  }

  close(): void {
    this.openNotes.leave();
    this.openNotes.current = null;
    this.loading = null;
    this.error = null;
    this.#events.moved(null);
  }

  /** A note was changed elsewhere: if it is open here, its new version is fetched. */
  async changed(change: NoteChange): Promise<void> {
    if (change.op === "delete") this.openNotes.retryFull();
    const open = this.openNotes.find(change.id);
    if (!open || (change.op === "delete" && open.deletedElsewhere(change.version))) return;
    if ((open.base?.version ?? 0) < change.version) await this.refresh(open);
  }

  async refresh(open: OpenNote | null = this.current): Promise<void> {
    if (!open?.id) return;
    try {
      const note = await calls.get(open.id);
      this.#events.read(note);
      open.arrived(note);
    } catch (error) {
      reportUnlessRequestFailure(error); // the next change or the next save fetches it
    }
  }

  /** After a reconnect: retries to open the requested note, or refreshes the open one. */
  async again(): Promise<void> {
    this.missed = false;
    if (this.error && this.#wanted && !this.current) await this.open(this.#wanted);
    else await this.refresh();
  }

  /** From the server, or from the cache if the server cannot be reached. */
  async #read(id: Id): Promise<Note> {
    try {
      const note = await calls.get(id);
      this.#events.read(note);
      return note;
    } catch (error) {
      if (!isPassing(error)) throw error;
      this.missed = true;
      const cached = await this.#cache.get(id);
      if (!cached) throw error;
      return cached;
    }
  }

  #note(note: Note | null, draft: Draft | null = null): OpenNote {
    const open = new OpenNote(
      {
        saved: (saved) => {
          this.#events.saved(saved);
          if (this.current === open) this.#events.moved(saved.id);
        },
        trashed: (id) => this.#events.trashed(id),
        stayed: (stored) => this.#events.stayed(stored, open),
        settled: () => this.openNotes.settled(open),
        drafts: this.#drafts,
      },
      note,
      draft,
    );
    return open;
  }

  #enter(note: OpenNote): void {
    this.loading = null;
    this.error = null;
    this.openNotes.setCurrent(note);
    this.#events.moved(note.id);
  }
}

/** The editor of this page. */
export const [getEditor, setEditor] = createContext<Editor>();
