/** The database in which a browser keeps one user's unsaved writes, and notes to read without the server. */

import { report } from "../lib/report.ts";
import { deleteDB, openDB, type DBSchema, type IDBPDatabase } from "idb";

import type { NoteFields } from "../api/note-fields.ts";
import type { Id, Note, NoteSummary } from "../api/types.ts";

/** A write that was sent, or was about to be: sent again it is the same one, by its key. */
export interface SentWrite {
  key: string;
  fields: Partial<NoteFields>;
}

/** Into the trash, after what was typed; or back from it, before. */
export interface Move {
  to: "trash" | "list";
  key: string;
  /** It may have reached the server. */
  sent: boolean;
}

/** Why the server does not have what is here: it is away, or does not take it, or has something else in the same place. */
export type Held = "offline" | "conflict" | "refused";

/** What was typed into a note and is not saved. */
export interface Draft {
  /** Of this stretch of writing, not of the note; a new note is made under it. */
  key: string;
  /** The tab that looks after it. */
  tab: string;
  /** The note as the typing found it; null for a new one. */
  base: Note | null;
  fields: NoteFields;
  /** Not answered yet. */
  sent: SentWrite | null;
  /** Left out by builds that only knew of writing. */
  move?: Move | null;
  /** Moves before that one that may have reached the server; left out by builds that forgot them. */
  earlier?: Move[];
  held?: Held | null;
}

/** A note as far as this browser has read it. */
export interface ReadNote {
  id: Id;
  updated_at: string;
  summary: NoteSummary;
  /** Null where only the list was seen; it may be of an older version than the summary. */
  note: Note | null;
}

interface Shape extends DBSchema {
  drafts: { key: string; value: Draft };
  notes: { key: Id; value: ReadNote; indexes: { updated: string } };
}

export type Database = IDBPDatabase<Shape>;

const nameOf = (userId: Id) => `inkstream-${userId}`;

/** Where a browser keeps nothing (private windows, a full disk), everything works but is not kept. */
export class Store {
  #opened: Promise<Database | null>;

  constructor(userId: Id) {
    this.#opened = openDB<Shape>(nameOf(userId), 1, {
      upgrade(database) {
        database.createObjectStore("drafts", { keyPath: "key" });
        database.createObjectStore("notes", { keyPath: "id" }).createIndex("updated", "updated_at");
      },
      // another tab signs out: the database is not to be held open
      blocking: (_from, _to, event) => (event.target as IDBDatabase).close(),
    }).catch((error: unknown) => {
      reportUnlessStorageFailure(error);
      return null;
    });
  }

  /** `fallback` where the browser stores nothing or the work failed. A failure that is not the storage's is reported. */
  async run<T>(work: (database: Database) => Promise<T>, fallback: T): Promise<T> {
    const database = await this.#opened;
    if (!database) return fallback;
    try {
      return await work(database);
    } catch (error) {
      reportUnlessStorageFailure(error);
      return fallback;
    }
  }

  async close(): Promise<void> {
    (await this.#opened)?.close();
  }
}

/**
 * What IndexedDB fails with when the device is the reason: full, forbidden (private windows), closed under us by another
 * tab's sign-out or by the browser, made by a newer build. https://w3c.github.io/IndexedDB/#exceptions
 */
const STORAGE_FAILURES = new Set([
  ...["QuotaExceededError", "AbortError", "UnknownError", "InvalidStateError"],
  ...["SecurityError", "VersionError", "NotReadableError"],
]);

function reportUnlessStorageFailure(error: unknown): void {
  const missing = typeof indexedDB === "undefined";
  if (missing || (error instanceof DOMException && STORAGE_FAILURES.has(error.name))) return;
  report(error);
}

/** The notes to read are gone; what is not saved stays. */
export async function clearCachedNotes(userId: Id): Promise<void> {
  const store = new Store(userId);
  await store.run((database) => database.clear("notes"), undefined);
  await store.close();
}

/** Everything that was kept for a user is gone, whatever it was. */
export async function deleteDatabase(userId: Id): Promise<void> {
  try {
    await deleteDB(nameOf(userId));
  } catch (error) {
    reportUnlessStorageFailure(error);
  }
}
