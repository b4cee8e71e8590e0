/** Keeps one note's unsaved words while they are typed: the first at once, then at most three times a second. */

import type { DraftStorage } from "./drafts.ts";
import type { Draft } from "./store.ts";

const THROTTLE_MS = 300;

export class DraftAutosave {
  /** What was typed last is kept. */
  saved = $state(false);
  #storage: DraftStorage | null;
  #draft: () => Omit<Draft, "tab">;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #again = false;
  /** Something was kept that has to be dropped. */
  #any = false;

  constructor(storage: DraftStorage | null, draft: () => Omit<Draft, "tab">) {
    this.#storage = storage;
    this.#draft = draft;
  }

  /** It is kept already: another tab's, taken over. */
  takenOver(): void {
    this.#any = this.saved = true;
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
    void this.#keep();
  }

  drop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#again = this.saved = false;
    if (this.#any) this.#storage?.drop(this.#draft().key);
    this.#any = false;
  }

  async #keep(): Promise<void> {
    if (!this.#storage) return;
    this.#any = true;
    const kept = await this.#storage.keep(this.#draft());
    // what was typed meanwhile has its own turn
    if (this.#any && !this.#again) this.saved = kept;
  }
}
