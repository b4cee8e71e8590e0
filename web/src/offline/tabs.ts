/** The open tabs of one browser, as far as they have to know of each other whether they live. */

import { newId } from "../lib/ids.ts";
import { locks } from "../lib/locks.ts";

/** This tab. `seen` resolves once the others can notice that it lives. */
export interface Tab {
  readonly id: string;
  readonly seen: Promise<void>;
  /** Which of these tabs live. */
  living(tabs: Iterable<string>): Promise<Set<string>>;
  /** Resolves when the tab has closed or crashed; rejects when `signal` aborts. */
  gone(tab: string, signal: AbortSignal): Promise<void>;
  leave(): void;
}

export function enterTab(): Tab {
  const shared = locks();
  return shared ? new LockedTab(shared) : new AnsweringTab();
}

const PREFIX = "inkstream-tab-";

/** Holds a lock as long as it lives, so that crashed tabs are noticed as well. */
class LockedTab implements Tab {
  readonly id = newId();
  readonly seen: Promise<void>;
  #locks: LockManager;
  #leave: () => void = () => undefined;

  constructor(shared: LockManager) {
    this.#locks = shared;
    this.seen = new Promise((resolve) => {
      const held = new Promise<void>((leave) => (this.#leave = leave));
      void shared.request(PREFIX + this.id, () => (resolve(), held));
    });
  }

  async living(tabs: Iterable<string>): Promise<Set<string>> {
    const { held = [] } = await this.#locks.query();
    const names = new Set(held.map(({ name }) => name));
    return new Set([...tabs].filter((tab) => names.has(PREFIX + tab)));
  }

  async gone(tab: string, signal: AbortSignal): Promise<void> {
    await this.#locks.request(PREFIX + tab, { mode: "shared", signal }, () => undefined);
  }

  leave(): void {
    this.#leave();
  }
}

/** A tab that does not answer for this long is considered gone. Messages also reach hidden tabs, whose timers are slow. */
const ANSWER_MS = 5_000;
/** Between two questions to a tab that lived. */
const CHECK_MS = 10_000;

type Message = { kind: "who" } | { kind: "here" | "bye"; id: string };

/**
 * Where browsers have no Web Locks: tabs ask each other over a broadcast channel, and say when they close. One that has
 * crashed is noticed because it does not answer. One that is frozen is passed over in the same way: two tabs then have
 * the same draft, of which the server takes each version once.
 */
class AnsweringTab implements Tab {
  readonly id = newId();
  readonly seen = Promise.resolve();
  #channel = new BroadcastChannel("inkstream-tabs");
  #hearers = new Set<(message: Message) => void>();
  /** Tabs that have said that they close. */
  #left = new Set<string>();
  #isOpen = true;
  #hidden = () => this.#post({ kind: "bye", id: this.id });
  /** Also after it was kept for the browser's back button. */
  #shown = () => this.#post({ kind: "here", id: this.id });

  constructor() {
    this.#channel.onmessage = ({ data }: MessageEvent<Message>) => {
      if (data.kind === "who") this.#post({ kind: "here", id: this.id });
      else if (data.kind === "bye") this.#left.add(data.id);
      else this.#left.delete(data.id);
      for (const hear of this.#hearers) hear(data);
    };
    addEventListener("pagehide", this.#hidden);
    addEventListener("pageshow", this.#shown);
  }

  async living(tabs: Iterable<string>): Promise<Set<string>> {
    const asked = new Set([...tabs].filter((tab) => !this.#left.has(tab)));
    const living = new Set([this.id].filter((id) => asked.delete(id)));
    if (asked.size === 0) return living;
    await this.#until(ANSWER_MS, (message) => {
      if (message.kind === "here" && asked.delete(message.id)) living.add(message.id);
      return asked.size === 0;
    });
    return living;
  }

  async gone(tab: string, signal: AbortSignal): Promise<void> {
    let isGone = false;
    while (!isGone) {
      await this.#until(CHECK_MS, () => this.#left.has(tab));
      signal.throwIfAborted();
      isGone = !(await this.living([tab])).has(tab);
      signal.throwIfAborted();
    }
  }

  leave(): void {
    this.#hidden();
    this.#isOpen = false;
    removeEventListener("pagehide", this.#hidden);
    removeEventListener("pageshow", this.#shown);
    this.#channel.close();
  }

  /** Asks, and resolves when `isEnough` is true of what is heard, or after `ms`. */
  #until(ms: number, isEnough: (message: Message) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#hearers.delete(hear);
        resolve();
      };
      const hear = (message: Message) => {
        if (isEnough(message)) end();
      };
      // in two steps: after this tab was busy, its timer may come before the messages that had arrived
      let timer = setTimeout(() => (timer = setTimeout(end, ms / 2)), ms / 2);
      this.#hearers.add(hear);
      this.#post({ kind: "who" });
    });
  }

  #post(message: Message): void {
    if (this.#isOpen) this.#channel.postMessage(message);
  }
}
