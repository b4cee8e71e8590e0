/**
 * One run in all the tabs that show it. One tab is the leader: it holds the run's lock, reads the stream and broadcasts
 * the events. When it closes, the next tab gets the lock and resumes after the last event. Every tab has all events from
 * the first one on, so that an event has the same index in each of them: a message that starts after a tab's last index
 * shows a gap, and the tab requests the missing events.
 */

import type { Id } from "../api/types.ts";
import { locks } from "../lib/locks.ts";
import { sleep } from "../lib/backoff.ts";
import { RunReader, SILENCE_MS, type RunListener } from "./run-reader.ts";
import type { ServerSentEvent } from "./sse.ts";
import { readInSlot, type Locks } from "./stream-slots.ts";
import { tabLocks } from "./tab-locks.ts";

/** The messages between tabs, on the run's broadcast channel. */
type TabMessage =
  | { kind: "ask"; from: number }
  | { kind: "events"; from: number; events: ServerSentEvent[] }
  // a new leader: it may have been opened after the others asked, and so not know of them
  | { kind: "lead"; from: number; events: [] }
  | { kind: "connected"; yes: boolean };

/** A leader from which no message came for this long, not even an empty one, is considered gone. */
const LEADER_TIMEOUT_MS = SILENCE_MS + 10_000;
/** How long a new leader waits for messages of the previous one that are still in flight. */
const HANDOVER_MS = 100;

export class SharedRun {
  #name: string;
  #listener: RunListener;
  #reader: RunReader;
  #channel: BroadcastChannel | null = null;
  #events: ServerSentEvent[] = [];
  #leading = false;
  /** Another tab leads this run, or did. */
  #following = false;
  /** At least one other tab follows this run. */
  #shared = false;
  #connected = false;
  /** Aborts when `done` was received from another tab. */
  #over = new AbortController();
  /** Aborts when the leader has been silent for too long. */
  #silent = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;

  #locks: Locks;

  constructor(runId: Id, listener: RunListener, shared: Locks = locks() ?? tabLocks()) {
    this.#locks = shared;
    this.#name = `inkstream-run-${runId}`;
    this.#listener = listener;
    this.#reader = new RunReader(runId, {
      events: (events) => this.#read(events),
      connected: (yes) => this.#setConnected(yes),
    });
  }

  /** Resolves after `done` or when `signal` aborts. Rejects with a `Problem` that a retry cannot fix. */
  async follow(signal: AbortSignal): Promise<void> {
    this.#channel = new BroadcastChannel(this.#name);
    this.#channel.onmessage = ({ data }: MessageEvent<TabMessage>) => this.#onMessage(data);
    this.#post({ kind: "ask", from: 0 });
    const stop = AbortSignal.any([signal, this.#over.signal]);
    try {
      while (!this.#reader.ended && !stop.aborted) await this.#waitAndLead(stop);
    } finally {
      clearTimeout(this.#timer);
      this.#channel.close();
    }
  }

  /** Waits until no other tab leads, and then leads. */
  async #waitAndLead(stop: AbortSignal): Promise<void> {
    const steal = this.#silent.signal.aborted;
    const lost = new AbortController();
    this.#silent = new AbortController();
    this.#restartTimer();
    const waiting = AbortSignal.any([stop, this.#silent.signal]);
    try {
      await this.#locks.request(this.#name, steal ? { steal } : { signal: waiting }, () =>
        this.#lead(AbortSignal.any([stop, lost.signal])),
      );
    } catch (error) {
      // stopped, or the leader was silent for too long, or another tab stole the lock because this one was
      if (!(error instanceof DOMException)) throw error;
      lost.abort();
    }
  }

  async #lead(signal: AbortSignal): Promise<void> {
    clearTimeout(this.#timer);
    // the previous leader's last messages, possibly `done`, may still be in flight
    if (this.#following) await sleep(HANDOVER_MS, signal);
    if (signal.aborted) return;
    this.#leading = true;
    this.#reader.lastId = this.#events.at(-1)?.id ?? "";
    this.#post({ kind: "lead", from: this.#events.length, events: [] });
    try {
      await readInSlot(this.#reader, this.#locks, signal);
    } finally {
      this.#leading = false;
    }
  }

  #onMessage(message: TabMessage): void {
    if (message.kind === "ask") {
      this.#shared = true;
      if (!this.#leading) return;
      this.#post({ kind: "events", from: message.from, events: this.#events.slice(message.from) });
      this.#post({ kind: "connected", yes: this.#connected });
    } else if (!this.#leading) {
      this.#following = true;
      this.#restartTimer();
      if (message.kind === "lead") this.#post({ kind: "ask", from: this.#events.length });
      else if (message.kind === "connected") this.#setConnected(message.yes);
      else this.#receive(message.from, message.events);
    }
  }

  #receive(from: number, events: ServerSentEvent[]): void {
    const known = this.#events.length;
    if (from > known) return this.#post({ kind: "ask", from: known });
    const fresh = events.slice(known - from);
    if (fresh.length === 0) return;
    this.#take(fresh);
    if (fresh.some((event) => event.event === "done")) this.#over.abort();
  }

  /** Events from the server; the leader broadcasts them. */
  #read(events: ServerSentEvent[]): void {
    const from = this.#events.length;
    this.#take(events);
    if (this.#shared) this.#post({ kind: "events", from, events });
  }

  #take(events: ServerSentEvent[]): void {
    for (const event of events) this.#events.push(event);
    this.#listener.events(events);
  }

  #setConnected(yes: boolean): void {
    if (this.#leading && this.#shared) this.#post({ kind: "connected", yes });
    this.#connected = yes;
    this.#listener.connected(yes);
  }

  #post(message: TabMessage): void {
    this.#channel?.postMessage(message);
  }

  #restartTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#silent.abort(), LEADER_TIMEOUT_MS);
  }
}
