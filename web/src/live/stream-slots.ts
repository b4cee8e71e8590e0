/**
 * Limits how many streams the tabs of one browser hold open together. Over HTTP/1.1 a browser opens at most six
 * connections to a host; if streams took them all, none would be left to save a note with.
 */

import type { RunReader } from "./run-reader.ts";

/** Streams that stay open; all further ones share one more connection in turns of `TURN_MS` of streaming. */
const OPEN = 3;
const TURN_MS = 700;
const NAME = "inkstream-stream-";

/** What is needed of the Web Locks API. */
export type Locks = Pick<LockManager, "request">;

export async function readInSlot(reader: RunReader, locks: Locks, signal: AbortSignal): Promise<void> {
  while (!reader.ended && !signal.aborted) {
    if (await inFreeSlot(locks, () => reader.read(signal))) continue;
    await locks.request(`${NAME}turn`, { signal }, () => reader.readTurn(signal, TURN_MS));
  }
}

/** False if no slot is free. */
async function inFreeSlot(locks: Locks, work: () => Promise<void>): Promise<boolean> {
  for (let slot = 0; slot < OPEN; slot++) {
    const got = await locks.request(`${NAME}${slot}`, { ifAvailable: true }, async (lock) => {
      if (lock) await work();
      return lock !== null;
    });
    if (got) return true;
  }
  return false;
}
