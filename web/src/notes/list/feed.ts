/** Following the server's change feed: nothing is missed, and nothing is applied twice. */

import { report } from "../../lib/report.ts";
import { notes as calls } from "../../api/calls.ts";
import { isPassing, Problem } from "../../api/http.ts";
import type { ChangedNote, Id, NoteChange } from "../../api/types.ts";
import { backoffDelay, sleep } from "../../lib/backoff.ts";

export interface FeedListener {
  apply(change: ChangedNote): void;
  /** Whether a change that was just heard of is on the page already. */
  shows(change: NoteChange): boolean;
  /** The feed no longer reaches back to where the page stands. */
  expired(): Promise<void>;
  /** This tab's own write of the note that is on its way; null where there is none. */
  writing(id: Id): Promise<unknown> | null;
}

export class Feed {
  /** The newest change that the page shows; null before the first load. */
  cursor: number | null = null;
  /** The newest change there is, as far as we heard. */
  #newest = 0;
  #pulling: Promise<void> | null = null;
  #listener: FeedListener;
  #stopped = new AbortController();

  constructor(listener: FeedListener) {
    this.#listener = listener;
  }

  stop(): void {
    this.#stopped.abort();
  }

  /** The page shows everything up to `cursor`. */
  begin(cursor: number): void {
    this.cursor = cursor;
    if (this.#newest > cursor) void this.catchUp();
  }

  /** A change heard over the WebSocket. */
  heard(change: NoteChange): void {
    const writing = this.#listener.writing(change.id);
    // most likely it is that very write, whose answer shows it
    if (writing) {
      const heard = () => this.#heard(change);
      return void writing.then(heard, heard).catch(report); // who writes handles a failure of the write
    }
    this.#heard(change);
  }

  /** Reads on from where the page stands; calls in between join the reading. */
  catchUp(): Promise<void> {
    this.#pulling ??= this.#pull().finally(() => (this.#pulling = null));
    return this.#pulling;
  }

  #heard(change: NoteChange): void {
    this.#newest = Math.max(this.#newest, change.cursor);
    if (this.cursor === null || change.cursor <= this.cursor) return;
    const shown = this.#listener.shows(change);
    if (shown && change.cursor === this.cursor + 1) this.cursor = change.cursor;
    else void this.catchUp();
  }

  async #pull(): Promise<void> {
    for (let failures = 0; this.cursor !== null && !this.#stopped.signal.aborted;) {
      try {
        const { changes } = await calls.changes(this.cursor);
        for (const change of changes) this.#apply(change);
        if (changes.length === 0 || this.cursor >= this.#newest) return;
        failures = 0;
      } catch (error) {
        if (error instanceof Problem && error.code === "cursor_expired") {
          if (await this.#afresh(this.cursor)) continue;
          return;
        }
        if (!isPassing(error)) return;
        await sleep(backoffDelay(failures++), this.#stopped.signal);
      }
    }
  }

  /** Whether there is more to be read behind what was just loaded: calls in between have joined this reading. */
  async #afresh(from: number): Promise<boolean> {
    await this.#listener.expired();
    return this.cursor !== null && this.cursor !== from && this.cursor < this.#newest;
  }

  #apply(change: ChangedNote): void {
    if (this.cursor !== null && change.cursor <= this.cursor) return;
    this.cursor = change.cursor;
    this.#listener.apply(change);
  }
}
