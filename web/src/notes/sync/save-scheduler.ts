/** The timers of a note: the debounce of its saves, and the backoff while the server is unreachable. */

import { backoffDelay, sleep } from "../../lib/backoff.ts";

const DEBOUNCE_MS = 500;
const MAX_WAIT_MS = 3_000;

export class SaveScheduler {
  #saveDue: () => void;
  #retryDue: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #waitingSince = 0;
  #stopped = new AbortController();

  constructor(due: { save: () => void; retry: () => void }) {
    this.#saveDue = due.save;
    this.#retryDue = due.retry;
  }

  /** `save` after a pause in the typing, or after the maximum wait if there is none. Replaces an earlier schedule. */
  debounce(): void {
    this.#waitingSince ||= Date.now();
    const left = this.#waitingSince + MAX_WAIT_MS - Date.now();
    this.saveIn(Math.max(0, Math.min(DEBOUNCE_MS, left)));
  }

  /** `save` after `ms`. Replaces an earlier schedule. */
  saveIn(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#saveDue, ms);
  }

  cancel(): void {
    clearTimeout(this.#timer);
  }

  /** The maximum wait starts again with the next `debounce`. */
  restartMaxWait(): void {
    this.#waitingSince = 0;
  }

  /** `retry` after the backoff delay, or as soon as the network is back. */
  async retry(failures: number): Promise<void> {
    await sleep(backoffDelay(failures), this.#stopped.signal);
    this.#retryDue();
  }

  /** Stops all timers; a retry that was scheduled is due at once. */
  stop(): void {
    this.#stopped.abort();
    clearTimeout(this.#timer);
  }
}
