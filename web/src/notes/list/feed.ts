/**
 * Follows the server's change feed: applies every change exactly once and in order. The WebSocket only announces
 * changes; if one is not the next after the cursor, or not shown yet, all changes after the cursor are read.
 */

import { forEachSafely, report } from "../../lib/report.ts";
import { notes as calls } from "../../api/calls.ts";
import { isPassing, Problem, reportUnlessRequestFailure } from "../../api/http.ts";
import type { ChangedNote, Id, NoteChange } from "../../api/types.ts";
import { backoffDelay, sleep } from "../../lib/backoff.ts";

export interface FeedListener {
  apply(change: ChangedNote): void;
  /** Whether the page shows an announced change already. */
  shows(change: NoteChange): boolean;
  /** The feed no longer reaches back to the page's cursor: everything has to be loaded again. */
  expired(): Promise<void>;
  /** This tab's own write of the note that is in flight, or null. */
  writing(id: Id): Promise<unknown> | null;
}

export class Feed {
  /** The cursor of the newest change that the page shows; null before the first load. */
  cursor: number | null = null;
  /** The cursor of the newest change that was announced. */
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

  /** To be called after a load: the page shows everything up to `cursor`. */
  begin(cursor: number): void {
    this.cursor = cursor;
    if (this.#newest > cursor) void this.catchUp();
  }

  /** Handles a change announced over the WebSocket. */
  receive(change: NoteChange): void {
    const writing = this.#listener.writing(change.id);
    // most likely the change is this tab's own write, whose response will show it
    if (writing) {
      const proceed = () => this.#advance(change);
      return void writing.then(proceed, proceed).catch(report); // a failed write is handled by its caller
    }
    this.#advance(change);
  }

  /** Reads all changes after the cursor; concurrent calls share one read. */
  catchUp(): Promise<void> {
    this.#pulling ??= this.#pull().finally(() => (this.#pulling = null));
    return this.#pulling;
  }

  #advance(change: NoteChange): void {
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
        forEachSafely(changes, (change) => this.#apply(change)); // each moves the cursor, even if it fails
        if (changes.length === 0 || this.cursor >= this.#newest) return;
        failures = 0;
      } catch (error) {
        if (error instanceof Problem && error.code === "cursor_expired") {
          if (await this.#reload(this.cursor)) continue;
          return;
        }
        if (!isPassing(error)) return reportUnlessRequestFailure(error);
        await sleep(backoffDelay(failures++), this.#stopped.signal);
      }
    }
  }

  /** Loads everything again. Returns whether newer changes were announced meanwhile, which still have to be read. */
  async #reload(from: number): Promise<boolean> {
    await this.#listener.expired();
    return this.cursor !== null && this.cursor !== from && this.cursor < this.#newest;
  }

  #apply(change: ChangedNote): void {
    if (this.cursor !== null && change.cursor <= this.cursor) return;
    this.cursor = change.cursor;
    this.#listener.apply(change);
  }
}
