/**
 * One run in all the tabs that show it: one of them reads its stream and passes on what it hears; when that tab goes,
 * the next one goes on where it stopped. Every tab has the same events in the same places, counted from the first.
 */

import type { Id } from "../api/types.ts";
import { locks } from "../lib/locks.ts";
import { sleep } from "../lib/backoff.ts";
import { RunReader, SILENCE_MS, type RunListener } from "./run-reader.ts";
import type { ServerSentEvent } from "./sse.ts";
import { readInSlot } from "./stream-slots.ts";

/** What tabs tell each other. */
type TabMessage =
  | { kind: "ask"; from: number }
  | { kind: "events"; from: number; events: ServerSentEvent[] }
  | { kind: "connected"; yes: boolean };

/** A reader that says nothing for this long, not even that nothing has come, is not there any more. */
const GIVEN_UP_MS = SILENCE_MS + 10_000;
const LAST_WORDS_MS = 100;

export class SharedRun {
  #name: string;
  #listener: RunListener;
  #reader: RunReader;
  #channel: BroadcastChannel | null = null;
  #events: ServerSentEvent[] = [];
  #leading = false;
  /** Another tab reads this run, or did. */
  #following = false;
  /** Some other tab follows this run. */
  #shared = false;
  #connected = false;
  /** Aborts when `done` has come from another tab. */
  #over = new AbortController();
  /** Aborts when the reader has been silent for too long. */
  #silent = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(runId: Id, listener: RunListener) {
    this.#name = `inkstream-run-${runId}`;
    this.#listener = listener;
    this.#reader = new RunReader(runId, {
      events: (events) => this.#read(events),
      connected: (yes) => this.#tell(yes),
    });
  }

  /** Resolves when `done` has come or `signal` aborts. Rejects with a `Problem` that trying again cannot mend. */
  async follow(signal: AbortSignal): Promise<void> {
    const manager = locks();
    if (!manager) return await this.#reader.read(signal);
    this.#channel = new BroadcastChannel(this.#name);
    this.#channel.onmessage = ({ data }: MessageEvent<TabMessage>) => this.#listen(data);
    this.#say({ kind: "ask", from: 0 });
    const stop = AbortSignal.any([signal, this.#over.signal]);
    try {
      while (!this.#reader.ended && !stop.aborted) await this.#waitAndLead(manager, stop);
    } finally {
      clearTimeout(this.#timer);
      this.#channel.close();
    }
  }

  /** Waits until no other tab reads the run, and then reads it. */
  async #waitAndLead(manager: LockManager, stop: AbortSignal): Promise<void> {
    const steal = this.#silent.signal.aborted;
    const lost = new AbortController();
    this.#silent = new AbortController();
    this.#expect();
    const waiting = AbortSignal.any([stop, this.#silent.signal]);
    try {
      await manager.request(this.#name, steal ? { steal } : { signal: waiting }, () =>
        this.#lead(manager, AbortSignal.any([stop, lost.signal])),
      );
    } catch (error) {
      // left, or too long without a word, or another tab thought so of this one
      if (!(error instanceof DOMException)) throw error;
      lost.abort();
    }
  }

  async #lead(manager: LockManager, signal: AbortSignal): Promise<void> {
    clearTimeout(this.#timer);
    // the last words of the tab before may still be on their way, `done` among them
    if (this.#following) await sleep(LAST_WORDS_MS, signal);
    if (signal.aborted) return;
    this.#leading = true;
    this.#reader.lastId = this.#events.at(-1)?.id ?? "";
    this.#say({ kind: "events", from: this.#events.length, events: [] });
    try {
      await readInSlot(this.#reader, manager, signal);
    } finally {
      this.#leading = false;
    }
  }

  #listen(message: TabMessage): void {
    if (message.kind === "ask") {
      this.#shared = true;
      if (!this.#leading) return;
      this.#say({ kind: "events", from: message.from, events: this.#events.slice(message.from) });
      this.#say({ kind: "connected", yes: this.#connected });
    } else if (!this.#leading) {
      this.#following = true;
      this.#expect();
      if (message.kind === "connected") this.#tell(message.yes);
      else this.#receive(message.from, message.events);
    }
  }

  #receive(from: number, events: ServerSentEvent[]): void {
    const known = this.#events.length;
    if (from > known) return this.#say({ kind: "ask", from: known });
    const fresh = events.slice(known - from);
    if (fresh.length === 0) return;
    this.#take(fresh);
    if (fresh.some((event) => event.event === "done")) this.#over.abort();
  }

  /** From the server itself. */
  #read(events: ServerSentEvent[]): void {
    const from = this.#events.length;
    this.#take(events);
    if (this.#shared) this.#say({ kind: "events", from, events });
  }

  #take(events: ServerSentEvent[]): void {
    for (const event of events) this.#events.push(event);
    this.#listener.events(events);
  }

  #tell(yes: boolean): void {
    if (this.#leading && this.#shared) this.#say({ kind: "connected", yes });
    this.#connected = yes;
    this.#listener.connected(yes);
  }

  #say(message: TabMessage): void {
    this.#channel?.postMessage(message);
  }

  #expect(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#silent.abort(), GIVEN_UP_MS);
  }
}
