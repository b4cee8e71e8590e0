/** Undo history for tasks toggled in a preview: undone one by one, as long as the text was not changed otherwise. */

import { ticked } from "./tasks.ts";

interface Tick {
  index: number;
  /** The text before it. */
  before: string;
}

export class TaskHistory {
  #made: Tick[] = [];
  /** The text after the last one. */
  #text = "";

  /** Sets the `index`th task to `done` and returns the new text. */
  make(text: string, index: number, done: boolean): string {
    this.#forgetUnless(text);
    this.#made.push({ index, before: text });
    return (this.#text = ticked(text, index, done));
  }

  /** Undoes the last toggle and returns it; null if there is none. */
  takeBack(text: string): Tick | null {
    this.#forgetUnless(text);
    const last = this.#made.pop() ?? null;
    if (last) this.#text = last.before;
    return last;
  }

  #forgetUnless(text: string): void {
    if (text !== this.#text) this.#made = [];
  }
}
