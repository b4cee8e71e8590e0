/** Which notes there are, by their titles: what `[[title]]` leads to, and what to offer while it is typed. */

import { reportUnlessRequestFailure } from "../../api/http.ts";
import { SvelteMap } from "svelte/reactivity";

import { notes as calls } from "../../api/calls.ts";
import type { Id, NoteSummary } from "../../api/types.ts";
import { folded } from "../../markdown/wiki-link.ts";

const OFFERED = 8;
const REST_MS = 5_000;

export interface NoteListing {
  /** The notes that the page has at hand. */
  list: NoteSummary[];
  /** Grows with every change of any note. */
  revision: number;
}

export class Titles {
  /** By folded title; null where there is no such note. */
  #found = new SvelteMap<string, Id | null>();
  #answers = $state(0);
  #asking = new Map<string, Promise<Id | null>>();
  /** The server could not be asked just now; a click asks all the same. */
  #notBefore = 0;
  #notes: NoteListing;

  constructor(notes: NoteListing) {
    this.#notes = notes;
  }

  /** Grows whenever more is known. */
  get revision(): number {
    return this.#answers + this.#notes.revision;
  }

  /** The note that a link means; null where there is none. Throws where the server cannot be asked. */
  async find(title: string): Promise<Id | null> {
    const key = folded(title);
    const here = this.#here(key);
    if (here) return here;
    const asking = this.#asking.get(key) ?? this.#ask(title, key);
    this.#asking.set(key, asking);
    try {
      return await asking;
    } finally {
      this.#asking.delete(key);
    }
  }

  /** The note that a link means, as far as is known: null where there is none, undefined where that is being asked. */
  known(title: string): Id | null | undefined {
    const key = folded(title);
    const found = this.#here(key) ?? this.#found.get(key);
    if (found === undefined && !this.#asking.has(key) && Date.now() >= this.#notBefore)
      this.find(title).catch((error: unknown) => {
        reportUnlessRequestFailure(error);
        this.#notBefore = Date.now() + REST_MS;
      });
    return found;
  }

  /** Titles with the words that are typed, those that begin with them first. */
  async like(typed: string, signal: AbortSignal): Promise<string[]> {
    const wanted = folded(typed);
    const fits = (title: string) => wanted.split(/\s+/).every((word) => folded(title).includes(word));
    const near = this.#notes.list.map((note) => note.title).filter(fits);
    const found = wanted && near.length < OFFERED ? (await this.#search(typed, signal)).filter(fits) : [];
    const begins = (title: string) => Number(folded(title).startsWith(wanted));
    return [...new Set([...near, ...found])].sort((a, b) => begins(b) - begins(a)).slice(0, OFFERED);
  }

  #here(key: string): Id | undefined {
    return this.#notes.list.find((note) => !note.deleted_at && folded(note.title) === key)?.id;
  }

  async #ask(title: string, key: string): Promise<Id | null> {
    let id: Id | null = null;
    for (const archived of [false, true])
      id ??= (await calls.list({ title, archived }, null, 1)).notes[0]?.id ?? null;
    this.#found.set(key, id);
    this.#answers += 1;
    return id;
  }

  // a search that fails offers nothing more
  async #search(typed: string, signal: AbortSignal): Promise<string[]> {
    try {
      const { results } = await calls.search(typed, signal);
      return results.map(({ note }) => note.title);
    } catch (error) {
      reportUnlessRequestFailure(error);
      return [];
    }
  }
}
