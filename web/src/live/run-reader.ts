/** Reads one run's event stream from the server and reconnects until it has ended. */

import { isPassing, problemOf, Unreachable } from "../api/http.ts";
import type { Id } from "../api/types.ts";
import { backoffDelay, sleep } from "../lib/backoff.ts";
import { SseParser, type ServerSentEvent } from "./sse.ts";

/** The server sends an event or a heartbeat at least every 10 s; a connection silent for longer than this is dead. */
export const SILENCE_MS = 25_000;

export interface RunListener {
  /** One received chunk's events, in order. An empty list means that the stream is alive. */
  events: (events: ServerSentEvent[]) => void;
  /** False while the stream is disconnected and waits for its retry. */
  connected: (yes: boolean) => void;
}

export class RunReader {
  /** Id of the last event received; a reconnect resumes after it. */
  lastId = "";
  ended = false;
  #runId: Id;
  #listener: RunListener;
  #retryMs = 1000;
  #failures = 0;

  constructor(runId: Id, listener: RunListener) {
    this.#runId = runId;
    this.#listener = listener;
  }

  /** Resolves after `done` or when `signal` aborts. Rejects with a `Problem` that a retry cannot fix. */
  async read(signal: AbortSignal): Promise<void> {
    while (!this.ended && !signal.aborted) {
      try {
        await this.#readOnce(signal);
      } catch (error) {
        if (signal.aborted) return;
        if (!isPassing(error)) throw error;
      }
      if (this.ended || signal.aborted) return;
      await this.#pause(signal);
    }
  }

  /** Before a reconnect. */
  async #pause(signal: AbortSignal): Promise<void> {
    this.#listener.connected(false);
    // the first reconnect uses the server's `retry`, with jitter; backoff applies only after repeated failures
    const pause = this.#failures === 0 ? this.#retryMs * Math.random() : backoffDelay(this.#failures);
    await sleep(pause, signal);
    this.#failures += 1;
  }

  /**
   * As `read`, for `ms` from when the server begins to answer: until then no time counts, so that each turn has events,
   * however slow the machine is. Where the connection fails, it resolves after the pause before a reconnect.
   */
  async readTurn(signal: AbortSignal, ms: number): Promise<void> {
    const over = new AbortController();
    try {
      await this.#readOnce(AbortSignal.any([signal, over.signal]), () => setTimeout(() => over.abort(), ms));
    } catch (error) {
      if (over.signal.aborted || signal.aborted) return;
      if (!isPassing(error)) throw error;
    }
    if (!this.ended) await this.#pause(signal);
  }

  /** `begun` is called when the first bytes of the response are there. */
  async #readOnce(signal: AbortSignal, begun: () => void = () => undefined): Promise<void> {
    const silence = new AbortController();
    const either = AbortSignal.any([signal, silence.signal]);
    let timer = setTimeout(() => silence.abort(), SILENCE_MS);
    try {
      const headers: Record<string, string> = { accept: "text/event-stream" };
      if (this.lastId) headers["last-event-id"] = this.lastId;
      const path = `/api/runs/${this.#runId}/events`;
      const response = await fetch(path, { headers, signal: either, cache: "no-store" });
      if (!response.ok) throw await problemOf(response);
      if (!response.body) throw new Unreachable();
      this.#listener.connected(true);
      const events: ServerSentEvent[] = [];
      const parser = new SseParser({
        event: (event) => void events.push(event),
        retry: (ms) => (this.#retryMs = ms),
      });
      const reader = response.body.getReader();
      let isFirst = true;
      for (let read = await reader.read(); !read.done; read = await reader.read()) {
        clearTimeout(timer);
        timer = setTimeout(() => silence.abort(), SILENCE_MS);
        if (isFirst) begun();
        isFirst = false;
        parser.push(read.value);
        this.#take(events.splice(0));
      }
    } catch (error) {
      if (error instanceof TypeError || error instanceof DOMException) throw new Unreachable();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  #take(events: ServerSentEvent[]): void {
    const last = events.at(-1);
    if (last) {
      this.#failures = 0;
      this.lastId = last.id || this.lastId;
      this.ended ||= events.some((event) => event.event === "done");
    }
    this.#listener.events(events);
  }
}
