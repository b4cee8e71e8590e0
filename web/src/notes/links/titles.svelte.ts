/** Finds notes by the names that links have: where `[[name]]` leads, and completions while a name is typed. */

import { reportUnlessRequestFailure } from "../../api/http.ts";
import { SvelteMap } from "svelte/reactivity";

import { notes as calls } from "../../api/calls.ts";
import type { Id, NoteSummary } from "../../api/types.ts";
import { folded, writtenLink } from "../../markdown/wiki-link.ts";

const OFFERED = 8;
const REST_MS = 5_000;

export interface NoteListing {
  /** The notes that the page has loaded. */
  list: NoteSummary[];
  /** Incremented with every change of any note. */
  revision: number;
}

export class Titles {
  /** Cache by folded title; null if there is no such note. */
  #found = new SvelteMap<string, Id | null>();
  #answers = $state(0);
  #pending = new Map<string, Promise<Id | null>>();
  /** After a failed request, `known` sends no further ones until this time; `find` always does. */
  #notBefore = 0;
  #notes: NoteListing;
  #source: () => Id | null;

  /** `source`: the note with the links. Of several notes with a name, a link leads to the nearest. */
  constructor(notes: NoteListing, source: () => Id | null = () => null) {
    this.#notes = notes;
    this.#source = source;
  }

  /** Changes whenever more titles are known. */
  get revision(): number {
    return this.#answers + this.#notes.revision;
  }

  /** The note that a link refers to; null if there is none. Throws if the server cannot be reached. */
  async find(title: string): Promise<Id | null> {
    const key = folded(title);
    const here = this.#here(key);
    if (here) return here;
    const pending = this.#pending.get(key) ?? this.#request(title, key);
    this.#pending.set(key, pending);
    try {
      return await pending;
    } finally {
      this.#pending.delete(key);
    }
  }

  /** As `find`, from the cache: null if there is no such note, undefined while that is being requested. */
  known(title: string): Id | null | undefined {
    const key = folded(title);
    const found = this.#here(key) ?? this.#found.get(key);
    if (found === undefined && !this.#pending.has(key) && Date.now() >= this.#notBefore)
      this.find(title).catch((error: unknown) => {
        reportUnlessRequestFailure(error);
        this.#notBefore = Date.now() + REST_MS;
      });
    return found;
  }

  /** Titles that contain all typed words; those that begin with the typed text come first. */
  async like(typed: string, signal: AbortSignal): Promise<string[]> {
    const wanted = folded(typed);
    const fits = (title: string) => wanted.split(/\s+/).every((word) => folded(title).includes(word));
    const near = this.#notes.list.map((note) => note.title).filter(fits);
    const found = wanted && near.length < OFFERED ? (await this.#search(typed, signal)).filter(fits) : [];
    const begins = (title: string) => Number(folded(title).startsWith(wanted));
    return [...new Set([...near, ...found])].sort((a, b) => begins(b) - begins(a)).slice(0, OFFERED);
  }

  /** A loaded note with this title. Of several, the server knows which is the nearest. */
  #here(key: string): Id | undefined {
    const found = this.#notes.list.filter((note) => !note.deleted_at && folded(note.title) === key);
    return found.length === 1 ? found[0]?.id : undefined;
  }

  async #request(title: string, key: string): Promise<Id | null> {
    const { notes } = await calls.resolveLinks([writtenLink(title)], this.#source());
    const id = notes[0]?.id ?? null;
    this.#found.set(key, id);
    this.#answers += 1;
    return id;
  }

  // if the search fails, only loaded notes are offered
  async #search(typed: string, signal: AbortSignal): Promise<string[]> {
    try {
      const { results } = await calls.search(typed, null, signal);
      return results.map(({ note }) => note.title);
    } catch (error) {
      reportUnlessRequestFailure(error);
      return [];
    }
  }
}
