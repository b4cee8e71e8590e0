/** Stores one note's draft while it is typed: the first change at once, then throttled to three times a second. */

import type { DraftStorage } from "./drafts.ts";
import type { NoteFields } from "../api/note-fields.ts";
import type { Draft } from "./store.ts";

const THROTTLE_MS = 300;

export class DraftAutosave {
  /** The fields are stored as they are now. */
  saved = $state(false);
  #storage: DraftStorage | null;
  #draft: () => Omit<Draft, "tab">;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #again = false;
  /** A draft may be in storage and has to be deleted by `drop`. */
  #mayBeStored = false;
  /** Of the draft that was stored last. Drafts are immutable, so the same object has the same values. */
  #stored: NoteFields | null = null;

  constructor(storage: DraftStorage | null, draft: () => Omit<Draft, "tab">) {
    this.#storage = storage;
    this.#draft = draft;
  }

  /** The draft was adopted from another tab and is in storage already. */
  takenOver(): void {
    this.#mayBeStored = this.saved = true;
    this.#stored = this.#draft().fields;
  }

  schedule(): void {
    // a retry stores the same fields again, and what the person reads about them must not flicker
    this.saved = this.saved && this.#draft().fields === this.#stored;
    if (this.#timer) this.#again = true;
    else this.saveNow();
  }

  saveNow(): void {
    clearTimeout(this.#timer);
    this.#again = false;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#again) this.saveNow();
    }, THROTTLE_MS);
    void this.#write();
  }

  drop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#again = this.saved = false;
    if (this.#mayBeStored) this.#storage?.drop(this.#draft().key);
    this.#mayBeStored = false;
    this.#stored = null;
  }

  async #write(): Promise<void> {
    if (!this.#storage) return;
    this.#mayBeStored = true;
    const draft = this.#draft();
    const isStored = await this.#storage.put(draft);
    // changes made meanwhile are stored by the next scheduled write
    if (!this.#mayBeStored || this.#again) return;
    this.saved = isStored;
    this.#stored = draft.fields;
  }
}
