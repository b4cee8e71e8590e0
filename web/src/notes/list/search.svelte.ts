/** Search as you type: shows the results of the newest query, and refreshes them when notes change. */

import { createContext } from "svelte";

import { notes as calls } from "../../api/calls.ts";
import { explain, Unreachable } from "../../api/http.ts";
import type { NoteSummary, SearchHit, SearchResults } from "../../api/types.ts";
import type { NoteCache } from "../../offline/note-cache.ts";

const DEBOUNCE_MS = 120;
/** Between two searches of the same words. */
const REFRESH_MS = 250;

export class Search {
  query = $state("");
  hits = $state.raw<SearchHit[] | null>(null);
  /** How many notes match, or at least how many; null if the server does not know. */
  total = $state.raw<{ count: number; isMinimum: boolean } | null>(null);
  error = $state<string | null>(null);
  /** Of the next page; null if there is none, or while it is loaded. */
  nextCursor = $state<string | null>(null);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #pending: AbortController | null = null;
  /** Notes have changed since the search that is under way began. */
  #isStale = false;
  /** Ends a next page whose first page was replaced. */
  #further = new AbortController();
  /** The cursor of a next page that could not be loaded. */
  #failed: string | null = null;
  /** So many results are loaded by a search: as many as were shown. */
  #wanted = 1;
  #cache: NoteCache | null;

  /** `cache`: searched while the server cannot be reached. */
  constructor(cache: NoteCache | null = null) {
    this.#cache = cache;
  }

  get active(): boolean {
    return this.query.trim() !== "";
  }

  /** "250 notes": how many are found, in words; empty if that is not known. */
  get summary(): string {
    if (!this.total || this.total.count === 0) return "";
    const { count, isMinimum } = this.total;
    return `${isMinimum ? "At least " : ""}${count.toLocaleString("en")} ${count === 1 ? "note" : "notes"}`;
  }

  type(query: string): void {
    if (query.trim() !== this.query.trim()) this.#wanted = 1;
    this.query = query;
    this.again(DEBOUNCE_MS);
  }

  clear(): void {
    this.type("");
  }

  /** Loads the next page. If that fails, `retry` does it again. */
  async more(): Promise<void> {
    const cursor = this.nextCursor;
    if (!cursor) return;
    const { signal } = this.#further;
    this.nextCursor = null;
    try {
      const page = await calls.search(this.query.trim(), cursor, signal);
      if (!signal.aborted) this.#show(page, this.hits ?? []);
    } catch (error) {
      if (signal.aborted) return;
      this.error = explain(error);
      this.#failed = cursor;
    }
  }

  /** Tries again what failed: the search, or its next page. */
  retry(): void {
    if (!this.#failed) return this.again(0);
    this.error = null;
    this.nextCursor = this.#failed;
    this.#failed = null;
    void this.more();
  }

  /** Searches again after `ms`, debounced; the results shown stay until then, and as many are loaded again. */
  again(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#pending?.abort();
    this.#pending = null;
    this.#isStale = false;
    if (!this.active) {
      this.#further.abort();
      this.hits = null;
      this.total = null;
      this.nextCursor = null;
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
      const typed = this.query.trim();
      let page = await calls.search(typed, null, pending.signal);
      let found = page.results;
      while (page.next_cursor && found.length < this.#wanted) {
        page = await calls.search(typed, page.next_cursor, pending.signal);
        found = withMore(found, page.results);
      }
      if (pending.signal.aborted) return;
      this.#restart();
      this.#show({ ...page, results: found }, []);
    } catch (error) {
      const found = error instanceof Unreachable ? await this.#cache?.search(this.query) : undefined;
      if (pending.signal.aborted) return;
      this.#restart();
      this.hits = found?.map(asHit) ?? this.hits;
      if (found) this.total = null;
      this.error = found ? null : explain(error);
    }
  }

  #restart(): void {
    this.#further.abort();
    this.#further = new AbortController();
    this.#failed = null;
    this.nextCursor = null;
    this.error = null;
  }

  #show(page: SearchResults, before: SearchHit[]): void {
    this.hits = withMore(before, page.results);
    this.#wanted = Math.max(1, this.hits.length);
    this.nextCursor = page.next_cursor ?? null;
    const count = page.total ?? null;
    this.total = count === null ? null : { count, isMinimum: page.total_is_minimum ?? false };
  }
}

/** Results that moved to a later page while the pages were read are there once. */
function withMore(hits: SearchHit[], more: SearchHit[]): SearchHit[] {
  const known = new Set(hits.map(({ note }) => note.id));
  return [...hits, ...more.filter(({ note }) => !known.has(note.id))];
}

const asHit = (note: NoteSummary): SearchHit => ({ note, snippet: escaped(note.preview), rank: 0 });

const escaped = (text: string) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

/** The search of the notes list; other searches have their own instance. */
export const [getSearch, setSearch] = createContext<Search>();
