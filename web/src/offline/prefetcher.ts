/** Prefetches the newest notes into the cache, for offline use: one at a time, in one tab only. */

import { notes as calls } from "../api/calls.ts";
import { isPassing, reportUnlessRequestFailure } from "../api/http.ts";
import type { Id, NoteSummary } from "../api/types.ts";
import { sleep } from "../lib/backoff.ts";
import { summaryOf } from "../api/note-summary.ts";
import type { NoteCache } from "./note-cache.ts";
import { locks } from "../lib/locks.ts";

const NEWEST = 100;
const REST_MS = 3_000;
const BETWEEN_MS = 20;

export class Prefetcher {
  #cache: NoteCache;
  #name: string;
  #list: () => NoteSummary[];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = new AbortController();

  /** `list`: returns the current notes. */
  constructor(cache: NoteCache, userId: Id, list: () => NoteSummary[]) {
    this.#cache = cache;
    this.#name = `inkstream-reader-${userId}`;
    this.#list = list;
  }

  /** Called when notes have changed; debounced, so that texts are fetched when nothing changes for a while. */
  schedule(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#read(), REST_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#stopped.abort();
  }

  async #read(): Promise<void> {
    if (this.#stopped.signal.aborted) return;
    await locks()?.request(this.#name, { ifAvailable: true }, async (lock) => {
      if (lock) await this.#readMissing();
    });
  }

  async #readMissing(): Promise<void> {
    await this.#cache.flush();
    const known = await this.#cache.texts();
    const missing = this.#list()
      .toSorted((a, b) => b.updated_at.localeCompare(a.updated_at))
      .slice(0, NEWEST)
      .filter((note) => (known.get(note.id) ?? 0) < note.version);
    for (const { id } of missing) {
      if (this.#stopped.signal.aborted) return;
      try {
        const note = await calls.get(id);
        this.#cache.read(note, summaryOf(note));
      } catch (error) {
        if (isPassing(error)) return; // retried at the next change or the next visit
        reportUnlessRequestFailure(error);
      }
      await sleep(BETWEEN_MS, this.#stopped.signal);
    }
  }
}
