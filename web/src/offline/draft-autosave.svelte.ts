/** Keeps one note's unsaved words while they are typed: the first at once, then at most three times a second. */

import type { DraftKeeper } from "./drafts.ts";
import type { Draft } from "./store.ts";

const EVERY_MS = 300;

export class Keeping {
  /** What was typed last is kept. */
  done = $state(false);
  #keeper: DraftKeeper | null;
  #draft: () => Omit<Draft, "tab">;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #again = false;
  /** Something was kept that has to be dropped. */
  #any = false;

  constructor(keeper: DraftKeeper | null, draft: () => Omit<Draft, "tab">) {
    this.#keeper = keeper;
    this.#draft = draft;
  }

  /** It is kept already: another tab's, taken over. */
  takenOver(): void {
    this.#any = this.done = true;
  }

  soon(): void {
    this.done = false;
    if (this.#timer) this.#again = true;
    else this.now();
  }

  now(): void {
    clearTimeout(this.#timer);
    this.#again = false;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#again) this.now();
    }, EVERY_MS);
    void this.#keep();
  }

  drop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#again = this.done = false;
    if (this.#any) this.#keeper?.drop(this.#draft().key);
    this.#any = false;
  }

  async #keep(): Promise<void> {
    if (!this.#keeper) return;
    this.#any = true;
    const kept = await this.#keeper.keep(this.#draft());
    // what was typed meanwhile has its own turn
    if (this.#any && !this.#again) this.done = kept;
  }
}
