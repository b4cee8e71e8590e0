/** Notes that were left while something of them was on its way: it is sent behind what is open. */

import { SvelteSet } from "svelte/reactivity";

import type { OpenNote } from "./open-note.svelte.ts";

export class Behind {
  #notes = new SvelteSet<OpenNote>();
  #stuck: (note: OpenNote) => void;

  /** `stuck`: what was left cannot be sent without the person. */
  constructor(stuck: (note: OpenNote) => void) {
    this.#stuck = stuck;
  }

  get all(): OpenNote[] {
    return [...this.#notes];
  }

  send(note: OpenNote): void {
    this.#notes.add(note);
    void note.flush().finally(() => {
      if (this.#notes.has(note) && ["conflict", "refused"].includes(note.state)) this.#stuck(note);
      if (!note.dirty) this.#notes.delete(note);
    });
  }

  /** It is opened again, or not wanted any more. */
  take(note: OpenNote): void {
    this.#notes.delete(note);
  }
}
