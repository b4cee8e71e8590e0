/** The browser's database for one user: drafts that are not saved yet, and cached notes for reading offline. */

import { report } from "../lib/report.ts";
import { deleteDB, openDB, type DBSchema, type IDBPDatabase } from "idb";

import type { NoteFields } from "../api/note-fields.ts";
import type { Id, Note, NoteSummary } from "../api/types.ts";

/** A write that was sent or was about to be. Its idempotency key makes a retry the same write. */
export interface SentWrite {
  key: string;
  fields: Partial<NoteFields>;
}

/** A move into the trash, applied after the typed changes, or back from it, applied before them. */
export interface Move {
  to: "trash" | "list";
  key: string;
  /** It may have reached the server. */
  sent: boolean;
}

/** Why a draft is not synced: the server cannot be reached, has a conflicting change, or refuses it. */
export type Held = "offline" | "conflict" | "refused";

/** Changes to a note that are not saved yet. */
export interface Draft {
  /** Identifies this draft, not the note; also the idempotency key with which a new note is created. */
  key: string;
  /** The tab that is responsible for it. */
  tab: string;
  /** The note's version on which the draft is based; null for a new note. */
  base: Note | null;
  fields: NoteFields;
  /** The write in flight, not acknowledged yet. */
  sent: SentWrite | null;
  /** Missing in drafts of older builds. */
  move?: Move | null;
  /** Earlier moves that may have reached the server; missing in drafts of older builds. */
  earlier?: Move[];
  held?: Held | null;
}

/** A cached note. */
export interface ReadNote {
  id: Id;
  updated_at: string;
  summary: NoteSummary;
  /** Null if only its list row was read; may be an older version than the summary. */
  note: Note | null;
}

interface Shape extends DBSchema {
  drafts: { key: string; value: Draft };
  notes: { key: Id; value: ReadNote; indexes: { updated: string } };
}

export type Database = IDBPDatabase<Shape>;

const nameOf = (userId: Id) => `inkstream-${userId}`;

/** If the browser stores nothing (private windows, a full disk), every call returns its fallback. */
export class Store {
  #opened: Promise<Database | null>;

  constructor(userId: Id) {
    this.#opened = openDB<Shape>(nameOf(userId), 1, {
      upgrade(database) {
        database.createObjectStore("drafts", { keyPath: "key" });
        database.createObjectStore("notes", { keyPath: "id" }).createIndex("updated", "updated_at");
      },
      // another tab signs out and deletes the database, which an open connection would block
      blocking: (_from, _to, event) => (event.target as IDBDatabase).close(),
    }).catch((error: unknown) => {
      reportUnlessStorageFailure(error);
      return null;
    });
  }

  /** Returns `fallback` if the browser stores nothing or the work failed. Failures not due to storage are reported. */
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
 * IndexedDB's errors that are caused by the device: storage full, forbidden (private windows), closed by another tab's
 * sign-out or by the browser, created by a newer build. https://w3c.github.io/IndexedDB/#exceptions
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

/** Deletes the cached notes; drafts stay. */
export async function clearCachedNotes(userId: Id): Promise<void> {
  const store = new Store(userId);
  await store.run((database) => database.clear("notes"), undefined);
  await store.close();
}

/** Deletes everything that was stored for a user. */
export async function deleteDatabase(userId: Id): Promise<void> {
  try {
    await deleteDB(nameOf(userId));
  } catch (error) {
    reportUnlessStorageFailure(error);
  }
}
