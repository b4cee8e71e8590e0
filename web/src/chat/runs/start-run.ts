/** Asks the server for a run until it has it. */

import { isPassing, Problem } from "../../api/http.ts";
import type { RunStarted } from "../../api/types.ts";
import { backoffDelay, sleep } from "../../lib/backoff.ts";

const TRIES = 4;

/** `send` names the same request id each time, so that repeats of it are one run. */
export async function startRun(send: () => Promise<RunStarted>, stopped: AbortSignal): Promise<RunStarted> {
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
