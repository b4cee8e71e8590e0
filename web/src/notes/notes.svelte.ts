/** The notes list: what is shown of it, kept in step with the server's change feed. */

import { SvelteMap } from "svelte/reactivity";

import { notes as calls } from "../api/calls.ts";
import { explain, isPassing, Problem } from "../api/http.ts";
import type { ChangedNote, Id, Note, NoteChange, NoteSummary } from "../api/types.ts";
import { backoff, patience } from "../live/backoff.ts";
import type { Library } from "../offline/library.ts";
import { inOrder, summaryOf } from "./order.ts";

const PAGE = 100;
/** So long without an answer, and the list is shown as it was read last. */
const SLOW_MS = 1_500;

export type Shelf = "notes" | "archive" | "trash";

export interface NotesListener {
  /** Someone else changed, deleted or restored a note. */
  changed(change: NoteChange): void;
  /** This tab's own write of the note that is on its way; null where there is none. */
  writing(id: Id): Promise<unknown> | null;
}

export class Notes {
  shelf = $state<Shelf>("notes");
  tag = $state<string | null>(null);
  loading = $state(true);
  error = $state<string | null>(null);
  nextCursor = $state<string | null>(null);
  /** When a change that was not made in this tab arrived, in milliseconds; the row glows once. */
  glow = new SvelteMap<Id, number>();
  /** Grows with every change of any note; a search looks again. */
  revision = $state(0);
  #byId = new SvelteMap<Id, NoteSummary>();
  /** The newest change that this list shows; null before the first load. */
  #cursor: number | null = null;
  /** The newest change there is, as far as we heard. */
  #newest = 0;
  #pulling: Promise<void> | null = null;
  #loads = 0;
  /** Failures in a row of reading the next page. */
  #misses = 0;
  #listener: NotesListener;
  #library: Library | null;
  #stopped = new AbortController();

  list = $derived(inOrder(this.#byId.values()));
  tags = $derived([...new Set(this.list.flatMap((note) => note.tags))].sort((a, b) => a.localeCompare(b)));

  /** `library`: what is shown while the server is away. */
  constructor(listener: NotesListener, library: Library | null = null) {
    this.#listener = listener;
    this.#library = library;
  }

  get cursor(): number | null {
    return this.#cursor;
  }

  stop(): void {
    this.#stopped.abort();
  }

  known(id: Id): NoteSummary | undefined {
    return this.#byId.get(id);
  }

  async show(shelf: Shelf, tag: string | null = null): Promise<void> {
    this.shelf = shelf;
    this.tag = tag;
    this.#byId.clear();
    await this.load();
  }

  /** Everything afresh. The cursor is asked for before the list, so that no change falls in between. */
  async load(): Promise<void> {
    const load = ++this.#loads;
    this.loading = true;
    const slow = setTimeout(() => void this.#recall(load), SLOW_MS);
    for (let failures = 0; load === this.#loads && !this.#stopped.signal.aborted; failures++) {
      try {
        const { cursor } = await calls.changes(null);
        const page = await calls.list(this.#filter(), null, PAGE);
        if (load !== this.#loads) return;
        clearTimeout(slow);
        this.#byId.clear();
        for (const note of page.notes) this.#byId.set(note.id, note);
        this.nextCursor = page.next_cursor ?? null;
        this.#keep(page.notes);
        this.#cursor = cursor;
        this.error = null;
        this.loading = false;
        this.revision += 1;
        if (this.#newest > cursor) void this.catchUp();
        return;
      } catch (error) {
        if (load !== this.#loads) return;
        this.error = explain(error);
        if (!isPassing(error)) break;
        await this.#recall(load);
        await patience(backoff(failures), this.#stopped.signal);
      }
    }
    clearTimeout(slow);
    if (load === this.#loads) this.loading = false;
  }

  /** The list as this browser read it last, until the server answers. */
  async #recall(load: number): Promise<void> {
    const kept = (await this.#library?.list()) ?? [];
    if (load !== this.#loads || !this.loading || this.#byId.size > 0) return;
    for (const note of kept) this.#take(note);
  }

  #keep(notes: NoteSummary[]): void {
    this.#library?.listed(notes.filter((note) => !note.deleted_at));
    if (this.shelf !== "notes" || this.tag) return;
    const oldest = this.nextCursor ? (notes.at(-1)?.updated_at ?? "") : "";
    void this.#library?.reconcile(new Set(notes.map(({ id }) => id)), oldest);
  }

  async more(): Promise<void> {
    const cursor = this.nextCursor;
    if (!cursor) return;
    this.nextCursor = null;
    const load = this.#loads;
    try {
      const page = await calls.list(this.#filter(), cursor, PAGE);
      if (load !== this.#loads) return;
      for (const note of page.notes) this.#take(note);
      this.#library?.listed(page.notes.filter((note) => !note.deleted_at));
      this.nextCursor = page.next_cursor ?? null;
      this.#misses = 0;
    } catch (error) {
      if (isPassing(error)) await patience(backoff(this.#misses++), this.#stopped.signal);
      if (load !== this.#loads) return;
      this.nextCursor = cursor; // the list asks again while its end is in sight
      this.error = explain(error);
    }
  }

  /** A note that this tab itself has just written or read. */
  wrote(note: Note): void {
    const summary = summaryOf(note);
    this.#take(summary);
    this.#library?.read(note, summary);
    this.revision += 1;
  }

  /** A note that this tab itself has just put into the trash. */
  removed(id: Id): void {
    this.#byId.delete(id);
    this.#library?.removed(id);
    this.revision += 1;
  }

  /** A change heard over the WebSocket. */
  heard(change: NoteChange): void {
    const writing = this.#listener.writing(change.id);
    // most likely it is that very write, whose answer shows it
    if (writing) return void writing.finally(() => this.#heard(change)).catch(() => undefined);
    this.#heard(change);
  }

  #heard(change: NoteChange): void {
    this.#newest = Math.max(this.#newest, change.cursor);
    if (this.#cursor === null || change.cursor <= this.#cursor) return;
    if (change.op === "delete" && this.shelf !== "trash") this.#byId.delete(change.id);
    const known = this.#byId.get(change.id);
    if (change.cursor === this.#cursor + 1 && known && known.version >= change.version) {
      this.#cursor = change.cursor;
      return;
    }
    void this.catchUp();
  }

  /** Reads the change feed from where the list stands; calls in between join the reading. */
  catchUp(): Promise<void> {
    this.#pulling ??= this.#pull().finally(() => (this.#pulling = null));
    return this.#pulling;
  }

  async #pull(): Promise<void> {
    for (let failures = 0; this.#cursor !== null && !this.#stopped.signal.aborted;) {
      try {
        const feed = await calls.changes(this.#cursor);
        for (const change of feed.changes) this.#apply(change);
        if (feed.changes.length === 0 || this.#cursor >= this.#newest) return;
        failures = 0;
      } catch (error) {
        if (error instanceof Problem && error.code === "cursor_expired") return await this.load();
        if (!isPassing(error)) return;
        await patience(backoff(failures++), this.#stopped.signal);
      }
    }
  }

  #apply(change: ChangedNote): void {
    if (this.#cursor !== null && change.cursor <= this.#cursor) return;
    this.#cursor = change.cursor;
    this.revision += 1;
    const known = this.#byId.get(change.id);
    if (change.note && (!known || known.version < change.note.version)) {
      this.glow.set(change.id, Date.now());
    }
    if (change.note) this.#library?.listed([change.note]);
    else this.#library?.removed(change.id);
    if (change.note) this.#take(change.note);
    else if (this.shelf === "trash") void this.load();
    else this.#byId.delete(change.id);
    this.#listener.changed(change);
  }

  #take(note: NoteSummary): void {
    const known = this.#byId.get(note.id);
    if (known && known.version > note.version) return;
    if (this.#belongs(note)) this.#byId.set(note.id, note);
    else this.#byId.delete(note.id);
  }

  #belongs(note: NoteSummary): boolean {
    if (this.tag && !note.tags.includes(this.tag)) return false;
    if (note.deleted_at) return this.shelf === "trash";
    return this.shelf === (note.archived ? "archive" : "notes");
  }

  #filter(): { tag: string | null; archived: boolean; trashed: boolean } {
    return { tag: this.tag, archived: this.shelf === "archive", trashed: this.shelf === "trash" };
  }
}
