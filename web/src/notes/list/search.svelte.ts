/** Search as you type: shows the results of the newest query, and refreshes them when notes change. */

import { createContext } from "svelte";

import { notes as calls } from "../../api/calls.ts";
import { explain, Unreachable } from "../../api/http.ts";
import type { NoteSummary, SearchHit } from "../../api/types.ts";
import type { NoteCache } from "../../offline/note-cache.ts";

const DEBOUNCE_MS = 120;

export class Search {
  query = $state("");
  hits = $state.raw<SearchHit[] | null>(null);
  error = $state<string | null>(null);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #pending: AbortController | null = null;
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
    this.#pending?.abort();
    if (!this.active) {
      this.hits = null;
      this.error = null;
      return;
    }
    this.#timer = setTimeout(() => void this.#request(), ms);
  }

  async #request(): Promise<void> {
    const pending = (this.#pending = new AbortController());
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
