/** Cache of the newest notes that this browser has read, for reading them offline. Bounded in number and size. */

import type { Id, Note, NoteSummary } from "../api/types.ts";
import type { Database, ReadNote, Store } from "./store.ts";

/** Older notes are evicted: by count, and by the characters of their texts. */
const MOST_NOTES = 1_000;
const MOST_CHARACTERS = 20_000_000;
const WRITE_AFTER_MS = 400;

export class NoteCache {
  #store: Store;
  /** Pending writes, batched so that a hundred rows are one transaction. */
  #waiting = new Map<Id, { summary: NoteSummary; note: Note | null } | null>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Caches rows of the list. Cached texts stay. */
  listed(summaries: NoteSummary[]): void {
    for (const summary of summaries) {
      this.#put(summary.id, { summary, note: this.#waiting.get(summary.id)?.note ?? null });
    }
  }

  read(note: Note, summary: NoteSummary): void {
    if (note.deleted_at) this.removed(note.id);
    else this.#put(note.id, { summary, note });
  }

  removed(id: Id): void {
    this.#put(id, null);
  }

  /** All cached notes, with or without a cached text. */
  list(): Promise<NoteSummary[]> {
    return this.#store.run(
      async (database) => (await database.getAll("notes")).map(({ summary }) => summary),
      [],
    );
  }

  async get(id: Id): Promise<Note | null> {
    return this.#store.run(async (database) => (await database.get("notes", id))?.note ?? null, null);
  }

  /** The versions of the cached texts. */
  texts(): Promise<Map<Id, number>> {
    const versions = async (database: Database) => {
      const cached = await database.getAll("notes");
      return new Map(cached.flatMap(({ id, note }) => (note ? [[id, note.version] as const] : [])));
    };
    return this.#store.run(versions, new Map<Id, number>());
  }

  /** Notes with every word of `query` in title or text, the newest first. */
  async search(query: string): Promise<NoteSummary[]> {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    const cached = await this.#store.run((database) => database.getAllFromIndex("notes", "updated"), []);
    return cached
      .filter(({ summary, note }) => {
        const text =
          `${summary.title} ${summary.tags.join(" ")} ${note?.body ?? summary.preview} ${propertyTexts(note)}`.toLowerCase();
        return words.every((word) => text.includes(word));
      })
      .map(({ summary }) => summary)
      .reverse();
  }

  /** `ids`: the server's list down to `oldest`. Cached notes that are newer but not in it were deleted meanwhile. */
  async reconcile(ids: Set<Id>, oldest: string): Promise<void> {
    for (const { id, archived, updated_at } of await this.list()) {
      if (!archived && updated_at > oldest && !ids.has(id)) this.removed(id);
    }
  }

  #put(id: Id, read: { summary: NoteSummary; note: Note | null } | null): void {
    this.#waiting.set(id, read);
    this.#timer ??= setTimeout(() => void this.flush(), WRITE_AFTER_MS);
  }

  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    await this.#store.run(async (database) => {
      const writing = database.transaction("notes", "readwrite");
      for (const [id, read] of waiting) {
        const before = await writing.store.get(id);
        if (read === null) await writing.store.delete(id);
        else await writing.store.put(joined(before, read));
      }
      await writing.done;
      await trim(database);
    }, undefined);
  }
}

const propertyTexts = (note: Note | null) =>
  Object.values(note?.properties ?? {})
    .flat()
    .join(" ");

function joined(before: ReadNote | undefined, read: { summary: NoteSummary; note: Note | null }): ReadNote {
  const older = before && before.summary.version > read.summary.version;
  const summary = older ? before.summary : read.summary;
  const known = before?.note ?? null;
  const note = read.note && read.note.version >= (known?.version ?? 0) ? read.note : known;
  return { id: summary.id, updated_at: summary.updated_at, summary, note };
}

async function trim(database: Database): Promise<void> {
  const writing = database.transaction("notes", "readwrite");
  let notes = 0;
  let characters = 0;
  let cursor = await writing.store.index("updated").openCursor(null, "prev");
  while (cursor) {
    notes += 1;
    characters += cursor.value.note?.body.length ?? 0;
    if (notes > MOST_NOTES || characters > MOST_CHARACTERS) await cursor.delete();
    cursor = await cursor.continue();
  }
  await writing.done;
}
