/** Search as you type: shows the results of the newest query, and refreshes them when notes change. */

import { createContext } from "svelte";

import { notes as calls } from "../../api/calls.ts";
import { explain, Unreachable } from "../../api/http.ts";
import type { NoteSummary, SearchHit } from "../../api/types.ts";
import type { NoteCache } from "../../offline/note-cache.ts";

const DEBOUNCE_MS = 120;
/** Between two searches of the same words. */
const REFRESH_MS = 250;

export class Search {
  query = $state("");
  hits = $state.raw<SearchHit[] | null>(null);
  error = $state<string | null>(null);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #pending: AbortController | null = null;
  /** Notes have changed since the search that is under way began. */
  #isStale = false;
  #cache: NoteCache | null;

  /** `cache`: searched while the server cannot be reached. */
  constructor(cache: NoteCache | null = null) {
    this.#cache = cache;
  }

  get active(): boolean {
    return this.query.trim() !== "";
  }

  type(query: string): void {
    this.query = query;
    this.again(DEBOUNCE_MS);
  }

  clear(): void {
    this.type("");
  }

  /** Searches again after `ms`, debounced; the results shown stay until then. */
  again(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#pending?.abort();
    this.#pending = null;
    this.#isStale = false;
    if (!this.active) {
      this.hits = null;
      this.error = null;
      return;
    }
    this.#timer = setTimeout(() => void this.#request(), ms);
  }

  /**
   * To be called when notes have changed. Searches again, but never ends a search for that: while notes change faster
   * than one takes, as in an import, there would be no results.
   */
  refresh(): void {
    if (this.#pending) this.#isStale = true;
    else if (this.active && this.#timer === undefined) this.again(REFRESH_MS);
  }

  async #request(): Promise<void> {
    this.#timer = undefined;
    const pending = (this.#pending = new AbortController());
    await this.#search(pending);
    if (this.#pending !== pending) return;
    this.#pending = null;
    if (this.#isStale) this.again(REFRESH_MS);
  }

  async #search(pending: AbortController): Promise<void> {
    try {
      const { results } = await calls.search(this.query.trim(), pending.signal);
      if (pending.signal.aborted) return;
      this.hits = results;
      this.error = null;
    } catch (error) {
      const found = error instanceof Unreachable ? await this.#cache?.search(this.query) : undefined;
      if (pending.signal.aborted) return;
      this.hits = found?.map(asHit) ?? this.hits;
      this.error = found ? null : explain(error);
    }
  }
}

const asHit = (note: NoteSummary): SearchHit => ({ note, snippet: escaped(note.preview), rank: 0 });

const escaped = (text: string) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

/** The search of the notes list; other searches have their own instance. */
export const [getSearch, setSearch] = createContext<Search>();
