/** The notes offered while a mention is typed in a message, and the selected one. */

import type { Id } from "../../api/types.ts";
import type { Notes } from "../../notes/list/notes.svelte.ts";
import { Search } from "../../notes/list/search.svelte.ts";
import { matching } from "../../lib/matching.ts";
import type { Mention } from "../mentions.ts";

const MAX_OFFERED = 6;

export class MentionPicker {
  /** Null while no mention is being typed. */
  query = $state<string | null>(null);
  at = $state(0);
  #notes: Notes;
  #search = new Search();

  constructor(notes: Notes) {
    this.#notes = notes;
  }

  get offered(): Mention[] {
    if (this.query === null) return [];
    const listed = matching(this.#notes.list, (note) => note.title, this.query).slice(0, MAX_OFFERED);
    const found = (this.#search.hits ?? []).map(({ note }) => note);
    const all = new Map<Id, Mention>([...listed, ...found].map(({ id, title }) => [id, { id, title }]));
    return [...all.values()].slice(0, MAX_OFFERED);
  }

  get current(): number {
    return Math.min(this.at, this.offered.length - 1);
  }

  look(query: string | null): void {
    if (query === this.query) return;
    this.query = query;
    this.at = 0;
    this.#search.type(query ?? "");
  }

  /** Moves the selection up or down, wrapping around. */
  step(by: number): void {
    const { length } = this.offered;
    this.at = (this.current + by + length) % length;
  }
}
