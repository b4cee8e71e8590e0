/** The notes list of the current view, kept up to date by the server's change feed. */

import { createContext } from "svelte";
import { SvelteMap } from "svelte/reactivity";

import { notes as calls } from "../../api/calls.ts";
import { explain, isPassing, reportUnlessRequestFailure } from "../../api/http.ts";
import { summaryOf } from "../../api/note-summary.ts";
import type { ChangedNote, Id, Note, NoteChange, NoteSummary } from "../../api/types.ts";
import { backoffDelay, sleep } from "../../lib/backoff.ts";
import type { Shelf } from "../../layout/shelf.ts";
import type { NoteCache } from "../../offline/note-cache.ts";
import { Feed } from "./feed.ts";
import { sortNotes } from "./order.ts";

const PAGE = 100;
const RELOAD_MS = 100;
/** If the server does not answer within this time, the cached list is shown. */
const SLOW_MS = 1_500;

export type NotesView = Shelf["view"];

export interface NotesListener {
  /** A note was changed, deleted or restored elsewhere. */
  changed(change: NoteChange): void;
  /** This tab's own write of the note that is in flight, or null. */
  writing(id: Id): Promise<unknown> | null;
  /** Notes with a pending move to the trash in this browser. */
  going(): Set<Id>;
  /** Another shelf is shown. */
  moved(shelf: Shelf): void;
}

export class Notes {
  view = $state<NotesView>("notes");
  tag = $state<string | null>(null);
  loading = $state(true);
  error = $state<string | null>(null);
  nextCursor = $state<string | null>(null);
  /** When a change that was not made in this tab arrived, in milliseconds; the row glows once. */
  glow = new SvelteMap<Id, number>();
  /** Incremented with every change of any note, so that searches are refreshed. */
  revision = $state(0);
  readonly feed: Feed;
  #byId = new SvelteMap<Id, NoteSummary>();
  /** Of notes that are not in the list. */
  #titles = new SvelteMap<Id, string>();
  #asked = new Set<Id>();
  #loads = 0;
  /** Consecutive failures of loading the next page. */
  #misses = 0;
  #listener: NotesListener;
  #cache: NoteCache | null;
  #reload: ReturnType<typeof setTimeout> | undefined;
  #stopped = new AbortController();

  list = $derived.by(() => {
    const going = this.#listener.going();
    return sortNotes([...this.#byId.values()].filter(({ id }) => !going.has(id)));
  });
  tags = $derived([...new Set(this.list.flatMap((note) => note.tags))].sort((a, b) => a.localeCompare(b)));

  /** `cache`: shown while the server cannot be reached. */
  constructor(listener: NotesListener, cache: NoteCache | null = null) {
    this.#listener = listener;
    this.#cache = cache;
    this.feed = new Feed({
      apply: (change) => this.#apply(change),
      shows: (change) => this.#shows(change),
      expired: () => this.load(),
      writing: (id) => listener.writing(id),
    });
  }

  stop(): void {
    this.feed.stop();
    clearTimeout(this.#reload);
    this.#stopped.abort();
  }

  known(id: Id): NoteSummary | undefined {
    return this.#byId.get(id);
  }

  /** The title of any note of the user, in the trash or not; null until it is known, and for one deleted for good. */
  titleOf(id: Id): string | null {
    const title = this.#byId.get(id)?.title ?? this.#titles.get(id);
    if (title === undefined && !this.#asked.has(id)) void this.#askTitle(id);
    return title ?? null;
  }

  async #askTitle(id: Id): Promise<void> {
    this.#asked.add(id);
    try {
      this.#titles.set(id, (await calls.get(id)).title);
    } catch (error) {
      reportUnlessRequestFailure(error);
      if (isPassing(error)) this.#asked.delete(id);
    }
  }

  async show(view: NotesView, tag: string | null = null): Promise<void> {
    this.view = view;
    this.tag = tag;
    this.#listener.moved({ view, tag });
    this.#byId.clear();
    await this.load();
  }

  /** Loads the list. The cursor is read before the list, so that no change in between is missed. */
  async load(): Promise<void> {
    const load = ++this.#loads;
    this.loading = true;
    const slow = setTimeout(() => void this.#showCached(load), SLOW_MS);
    for (let failures = 0; load === this.#loads && !this.#stopped.signal.aborted; failures++) {
      try {
        const { cursor } = await calls.changes(null);
        const page = await calls.list(this.#filter(), null, PAGE);
        if (load !== this.#loads) return;
        clearTimeout(slow);
        this.#byId.clear();
        for (const note of page.notes) this.#byId.set(note.id, note);
        this.nextCursor = page.next_cursor ?? null;
        this.#cacheRows(page.notes);
        this.error = null;
        this.loading = false;
        this.revision += 1;
        return this.feed.begin(cursor);
      } catch (error) {
        if (load !== this.#loads) return;
        this.error = explain(error);
        if (!isPassing(error)) break;
        await this.#showCached(load);
        await sleep(backoffDelay(failures), this.#stopped.signal);
      }
    }
    clearTimeout(slow);
    if (load === this.#loads) this.loading = false;
  }

  /** Shows the cached list until the server answers. */
  async #showCached(load: number): Promise<void> {
    const cached = (await this.#cache?.list()) ?? [];
    if (load !== this.#loads || !this.loading || this.#byId.size > 0) return;
    for (const note of cached) this.#take(note);
  }

  #cacheRows(notes: NoteSummary[]): void {
    this.#cache?.listed(notes.filter((note) => !note.deleted_at));
    if (this.view !== "notes" || this.tag) return;
    const oldest = this.nextCursor ? (notes.at(-1)?.updated_at ?? "") : "";
    void this.#cache?.reconcile(new Set(notes.map(({ id }) => id)), oldest);
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
      this.#cache?.listed(page.notes.filter((note) => !note.deleted_at));
      this.nextCursor = page.next_cursor ?? null;
      this.#misses = 0;
    } catch (error) {
      if (isPassing(error)) await sleep(backoffDelay(this.#misses++), this.#stopped.signal);
      if (load !== this.#loads) return;
      this.nextCursor = cursor; // retried while the end of the list is in view
      this.error = explain(error);
    }
  }

  /** This tab has written or read a note. */
  wrote(note: Note): void {
    const summary = summaryOf(note);
    this.#take(summary);
    this.#cache?.read(note, summary);
    this.revision += 1;
  }

  /** The server has acknowledged this tab's own move of a note into the trash. */
  trashed(id: Id): void {
    // the trash was read before or after the move, and the change feed may have passed it
    if (this.view === "trash") void this.load();
    else this.#byId.delete(id);
    this.#cache?.removed(id);
    this.revision += 1;
  }

  /** This tab has deleted a note for good. */
  deletedForGood(id: Id): void {
    this.#byId.delete(id);
    this.#cache?.removed(id);
    this.revision += 1;
  }

  /** Whether an announced change is shown already. A deleted note is removed at once, before the feed is read. */
  #shows({ op, id, version }: NoteChange): boolean {
    if (op === "delete" && this.view !== "trash") this.#byId.delete(id);
    return (this.#byId.get(id)?.version ?? 0) >= version;
  }

  #apply(change: ChangedNote): void {
    this.revision += 1;
    const known = this.#byId.get(change.id);
    if (change.note && (!known || known.version < change.note.version)) {
      this.glow.set(change.id, Date.now());
    }
    if (change.note) this.#cache?.listed([change.note]);
    else this.#cache?.removed(change.id);
    if (change.note) this.#take(change.note);
    else if (this.view === "trash" && !known) this.#loadSoon();
    else this.#byId.delete(change.id);
    this.#listener.changed(change);
  }

  /** Notes were moved to the trash, of which the feed has no summaries: many of them are loaded at once. */
  #loadSoon(): void {
    clearTimeout(this.#reload);
    this.#reload = setTimeout(() => void this.load(), RELOAD_MS);
  }

  #take(note: NoteSummary): void {
    const known = this.#byId.get(note.id);
    if (known && known.version > note.version) return;
    if (this.#belongs(note)) this.#byId.set(note.id, note);
    else this.#byId.delete(note.id);
  }

  #belongs(note: NoteSummary): boolean {
    const { tag } = this;
    if (tag && !note.tags.some((one) => one === tag || one.startsWith(`${tag}/`))) return false;
    if (note.deleted_at) return this.view === "trash";
    return this.view === (note.archived ? "archive" : "notes");
  }

  #filter(): { tag: string | null; archived: boolean; trashed: boolean } {
    return { tag: this.tag, archived: this.view === "archive", trashed: this.view === "trash" };
  }
}

/** The notes list of this page. */
export const [getNotes, setNotes] = createContext<Notes>();
