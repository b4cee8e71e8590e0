/** Starts a run, with retries. */

import { isPassing, Problem } from "../../api/http.ts";
import type { RunStarted } from "../../api/types.ts";
import { backoffDelay, sleep } from "../../lib/backoff.ts";

const TRIES = 4;

/** `send` must use the same request id each time, so that retries start one run only. */
export async function startRun<Started extends RunStarted>(
  send: () => Promise<Started>,
  stopped: AbortSignal,
): Promise<Started> {
  for (let tries = 1; ; tries++) {
    try {
      return await send();
    } catch (error) {
      if (!isPassing(error) || tries === TRIES || stopped.aborted) throw error;
      const wait = error instanceof Problem && error.retryAfterMs ? error.retryAfterMs : backoffDelay(tries);
      await sleep(wait, stopped);
    }
  }
}
