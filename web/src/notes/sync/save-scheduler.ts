/** When a note's changes go to the server: after a pause in the typing, one at a time, again while the server is away. */

import { isPassing } from "../../api/http.ts";
import { backoffDelay, sleep } from "../../lib/backoff.ts";

const DEBOUNCE_MS = 500;
const MAX_WAIT_MS = 3_000;

export interface SaveWork {
  /** There is something to be sent, and nothing stands against it. */
  due(): boolean;
  /** Sends the next of it. False where going on does not help. `again`: the try before did not get through. */
  send(again: boolean): Promise<boolean>;
  /** The server is away; it is tried again in a while. */
  away(error: unknown): void;
}

export class SaveScheduler {
  #work: SaveWork;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #waitingSince = 0;
  #running: Promise<void> | null = null;
  #stopped = new AbortController();

  constructor(work: SaveWork) {
    this.#work = work;
  }

  get stopped(): boolean {
    return this.#stopped.signal.aborted;
  }

  /** At the next pause, or after the longest time without one. */
  schedule(): void {
    this.#waitingSince ||= Date.now();
    const left = this.#waitingSince + MAX_WAIT_MS - Date.now();
    this.scheduleIn(Math.max(0, Math.min(DEBOUNCE_MS, left)));
  }

  scheduleIn(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.run(), ms);
  }

  /** Resolves when there is nothing left to do or it cannot be done. */
  async run(): Promise<void> {
    clearTimeout(this.#timer);
    this.#running ??= this.#loop().finally(() => (this.#running = null));
    await this.#running;
  }

  stop(): void {
    this.#stopped.abort();
    clearTimeout(this.#timer);
  }

  async #loop(): Promise<void> {
    for (let failures = 0; this.#work.due() && !this.stopped;) {
      this.#waitingSince = 0;
      try {
        if (!(await this.#work.send(failures > 0))) return;
        failures = 0;
      } catch (error) {
        if (!isPassing(error)) throw error;
        this.#work.away(error);
        await sleep(backoffDelay(failures++), this.#stopped.signal);
      }
    }
  }
}
