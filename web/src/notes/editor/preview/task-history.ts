/** What a person ticked in a preview: it is taken back one by one, as long as the text is what they made of it. */

import { ticked } from "./tasks.ts";

interface Tick {
  index: number;
  /** The text without it. */
  before: string;
}

export class TaskHistory {
  #made: Tick[] = [];
  /** The text with all of them. */
  #text = "";

  /** The text with the box of its `index`th task as `done` says. */
  make(text: string, index: number, done: boolean): string {
    this.#forgetUnless(text);
    this.#made.push({ index, before: text });
    return (this.#text = ticked(text, index, done));
  }

  /** The last one, and the text without it. Null where there is none. */
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
