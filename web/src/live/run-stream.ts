/** Follows one run's events to the end, together with the other tabs that show it. */

import { parseEventId } from "../api/event-id.ts";
import type { Id, RunEvent } from "../api/types.ts";
import type { EventRecorder } from "./event-recorder.ts";
import { SharedRun } from "./shared-run.ts";
import type { ServerSentEvent } from "./sse.ts";

export interface RunFollower {
  /** Called in order; an event may be repeated after a reconnect. */
  event: (event: RunEvent) => void;
  /** False while the stream is disconnected and waits for its retry. */
  connected: (yes: boolean) => void;
}

/**
 * Resolves after `done` or when `signal` aborts. Rejects with a `Problem` that a retry cannot fix.
 * Reads from the beginning and resumes by `Last-Event-ID`.
 */
export async function followRun(
  runId: Id,
  recorder: EventRecorder,
  follower: RunFollower,
  signal: AbortSignal,
): Promise<void> {
  const events = (received: ServerSentEvent[]) => {
    for (const event of received) {
      if (signal.aborted) return;
      recorder.record("sse", event.event, event.data, event.id);
      const read = readEvent(event);
      if (read) follower.event(read);
    }
  };
  const connected = (yes: boolean) => {
    if (!signal.aborted) follower.connected(yes);
  };
  await new SharedRun(runId, { events, connected }).follow(signal);
}

/** Null for anything that is not an event of a run; a newer server may send such events. */
export function readEvent(event: ServerSentEvent): RunEvent | null {
  try {
    const data: unknown = JSON.parse(event.data);
    if (typeof data !== "object" || data === null) return null;
    return { id: parseEventId(event.id), name: event.event, data } as RunEvent;
  } catch {
    return null;
  }
}
