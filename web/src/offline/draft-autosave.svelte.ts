/** Stores one note's draft while it is typed: the first change at once, then throttled to three times a second. */

import type { DraftStorage } from "./drafts.ts";
import type { Draft } from "./store.ts";

const THROTTLE_MS = 300;

export class DraftAutosave {
  /** The newest change is stored. */
  saved = $state(false);
  #storage: DraftStorage | null;
  #draft: () => Omit<Draft, "tab">;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #again = false;
  /** A draft may be in storage and has to be deleted by `drop`. */
  #mayBeStored = false;

  constructor(storage: DraftStorage | null, draft: () => Omit<Draft, "tab">) {
    this.#storage = storage;
    this.#draft = draft;
  }

  /** The draft was adopted from another tab and is in storage already. */
  takenOver(): void {
    this.#mayBeStored = this.saved = true;
  }

  schedule(): void {
    this.saved = false;
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
  }

  async #write(): Promise<void> {
    if (!this.#storage) return;
    this.#mayBeStored = true;
    const stored = await this.#storage.keep(this.#draft());
    // changes made meanwhile are stored by the next scheduled write
    if (this.#mayBeStored && !this.#again) this.saved = stored;
  }
}
