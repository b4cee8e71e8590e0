/** Search as you type: the newest question's answer, looked up again when notes change. */

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
  #asking: AbortController | null = null;
  #cache: NoteCache | null;

  /** `cache`: where it is looked up while the server is away. */
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

  /** Asks again after `ms`; the results shown stay until then. */
  again(ms: number): void {
    clearTimeout(this.#timer);
    this.#asking?.abort();
    if (!this.active) {
      this.hits = null;
      this.error = null;
      return;
    }
    this.#timer = setTimeout(() => void this.#ask(), ms);
  }

  async #ask(): Promise<void> {
    const asking = (this.#asking = new AbortController());
    try {
      const { results } = await calls.search(this.query.trim(), asking.signal);
      if (asking.signal.aborted) return;
      this.hits = results;
      this.error = null;
    } catch (error) {
      const found = error instanceof Unreachable ? await this.#cache?.search(this.query) : undefined;
      if (asking.signal.aborted) return;
      this.hits = found?.map(asHit) ?? this.hits;
      this.error = found ? null : explain(error);
    }
  }
}

const asHit = (note: NoteSummary): SearchHit => ({ note, snippet: escaped(note.preview), rank: 0 });

const escaped = (text: string) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

/** The search of the notes list; other searches are their own. */
export const [getSearch, setSearch] = createContext<Search>();
