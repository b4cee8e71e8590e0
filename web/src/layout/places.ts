/**
 * Where the person is in this window: the shelf, the open note, how far each list and note is scrolled, and which notes
 * are shown as a preview. Kept over a reload; a new window begins where the last one was.
 */

import { createContext } from "svelte";

import { storedValue, type StoredValue } from "../lib/browser-storage.ts";
import type { Id } from "../api/types.ts";
import { ALL_NOTES, asShelf, type Shelf } from "./shelf.ts";

/** So many notes and lists are remembered: those that were looked at last. */
const REMEMBERED = 50;

export interface NotePlace {
  /** How far it is scrolled, in pixels. */
  top: number;
  preview: boolean;
}

interface Saved {
  shelf: Shelf;
  note: Id | null;
  notes: [Id, NotePlace][];
  lists: [string, number][];
}

export class Places {
  shelf: Shelf = ALL_NOTES;
  /** The note that was open last. */
  note: Id | null = null;
  #notes = new Map<Id, NotePlace>();
  #lists = new Map<string, number>();
  #window: StoredValue;
  #browser: StoredValue;

  constructor(userId: Id) {
    const name = `places.${userId}`;
    this.#window = storedValue(name, "", () => sessionStorage);
    this.#browser = storedValue(name, "");
    this.#restore(this.#window.read() || this.#browser.read());
  }

  /** To be called when the shelf or the note has changed, and before the page goes. */
  save(): void {
    const { shelf, note } = this;
    const saved: Saved = { shelf, note, notes: [...this.#notes], lists: [...this.#lists] };
    this.#window.write(JSON.stringify(saved));
    this.#browser.write(JSON.stringify(saved));
  }

  ofNote(id: Id): NotePlace {
    return this.#notes.get(id) ?? { top: 0, preview: false };
  }

  setNote(id: Id, place: Partial<NotePlace>): void {
    remember(this.#notes, id, { ...this.ofNote(id), ...place });
  }

  /** How far the list of a shelf is scrolled, in pixels. */
  listTop(shelf: Shelf): number {
    return this.#lists.get(keyOf(shelf)) ?? 0;
  }

  setListTop(shelf: Shelf, top: number): void {
    remember(this.#lists, keyOf(shelf), top);
  }

  /** What cannot be read, from another version of the page for example, is left out. */
  #restore(text: string): void {
    try {
      const saved = JSON.parse(text) as Partial<Saved>;
      this.shelf = asShelf(saved.shelf);
      this.note = typeof saved.note === "string" ? saved.note : null;
      for (const [id, { top, preview }] of saved.notes ?? [])
        this.#notes.set(id, { top: Number(top) || 0, preview: preview });
      for (const [key, top] of saved.lists ?? []) this.#lists.set(key, Number(top) || 0);
    } catch {
      // nothing is stored, or nothing that can be read
    }
  }
}

const keyOf = ({ view, tag }: Shelf) => `${view} ${tag ?? ""}`;

function remember<Value>(places: Map<string, Value>, key: string, value: Value): void {
  places.delete(key);
  places.set(key, value);
  const [oldest] = places.keys();
  if (places.size > REMEMBERED && oldest !== undefined) places.delete(oldest);
}

/** The places of this window. */
export const [getPlaces, setPlaces] = createContext<Places>();
