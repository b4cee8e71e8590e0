/** Follows one run's events to the end, over as many connections as it takes. */

import { isPassing, problemOf, Unreachable } from "../api/http.ts";
import type { Id, RunEvent } from "../api/types.ts";
import { backoff, patience } from "./backoff.ts";
import type { Wire } from "./event-log.svelte.ts";
import { SseParser, type ServerSentEvent } from "./sse.ts";

/** The server says something at least every 10 s; a connection silent for longer than this is dead. */
const SILENCE_MS = 25_000;

export interface RunFollower {
  /** Called in order; an event may come twice after a reconnect. */
  event: (event: RunEvent) => void;
  /** False while the stream is broken and being tried again. */
  connected: (yes: boolean) => void;
}

/**
 * Resolves when `done` has come or `signal` aborts. Rejects with a `Problem` that trying again cannot mend.
 * Reads from the beginning and resumes by `Last-Event-ID`.
 */
export async function followRun(
  runId: Id,
  wire: Wire,
  follower: RunFollower,
  signal: AbortSignal,
): Promise<void> {
  const state = { lastId: "", retryMs: 1000, ended: false, failures: 0 };
  const parser = () =>
    new SseParser({
      event: (event) => {
        state.failures = 0;
        if (event.id) state.lastId = event.id;
        wire.record("sse", event.event, event.data, event.id);
        state.ended ||= event.event === "done";
        const read = readEvent(event);
        if (read) follower.event(read);
      },
      retry: (ms) => (state.retryMs = ms),
    });
  while (!state.ended && !signal.aborted) {
    try {
      await readOnce(runId, state.lastId, parser(), () => follower.connected(true), signal);
    } catch (error) {
      if (signal.aborted) return;
      if (!isPassing(error)) throw error;
    }
    if (state.ended || signal.aborted) return;
    follower.connected(false);
    // the first return is at the server's wish; only a server that keeps failing is given room
    await patience(state.failures === 0 ? state.retryMs * Math.random() : backoff(state.failures), signal);
    state.failures += 1;
  }
}

async function readOnce(
  runId: Id,
  lastId: string,
  parser: SseParser,
  opened: () => void,
  signal: AbortSignal,
): Promise<void> {
  const silence = new AbortController();
  const either = AbortSignal.any([signal, silence.signal]);
  let timer = setTimeout(() => silence.abort(), SILENCE_MS);
  try {
    const headers: Record<string, string> = { accept: "text/event-stream" };
    if (lastId) headers["last-event-id"] = lastId;
    const response = await fetch(`/api/runs/${runId}/events`, { headers, signal: either, cache: "no-store" });
    if (!response.ok) throw await problemOf(response);
    if (!response.body) throw new Unreachable();
    opened();
    const reader = response.body.getReader();
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE_MS);
      parser.push(read.value);
    }
  } catch (error) {
    if (error instanceof TypeError || error instanceof DOMException) throw new Unreachable();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Null for what is not an event of a run, which a newer server may send. */
export function readEvent(event: ServerSentEvent): RunEvent | null {
  try {
    const data: unknown = JSON.parse(event.data);
    if (typeof data !== "object" || data === null) return null;
    const id = /^\d+$/.test(event.id) ? Number(event.id) : null;
    return { id, name: event.event, data } as RunEvent;
  } catch {
    return null;
  }
}
