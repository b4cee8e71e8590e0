/**
 * Locks between the tabs of one browser over a broadcast channel, for pages that are not a secure context, such as plain
 * HTTP from another machine: browsers provide no Web Locks there.
 *
 * A tab that wants a lock broadcasts a claim, and has the lock if no tab objects within `ANSWER_MS`. Invariant: two tabs
 * that answer in time never have it at once. Of two claims, at least one tab hears the other's while its own is open, or
 * while it holds the lock. A holder objects. Of two open claims the one of the older request wins, so that nobody waits
 * for ever while others take turns: a tab that hears a newer one objects, and one that hears an older one gives up its
 * own, for a tab that was opened meanwhile may not have heard it.
 * And a tab that heard a claim before it made its own waits. Tabs answer also while they are hidden; one that does not,
 * because it crashed or is frozen, is passed over, so that it blocks nobody. Should two tabs have the lock then, that
 * costs a connection and nothing else.
 */

import { newId } from "../lib/ids.ts";
import { sleep } from "../lib/backoff.ts";

const ANSWER_MS = 100;
/** A claim is repeated after this time if nobody said that the lock is free: its holder may have crashed. */
const RETRY_MS = 2_000;

type Message =
  | { kind: "claim"; name: string; id: string; request: string }
  | { kind: "object"; id: string }
  | { kind: "free"; name: string }
  | { kind: "steal"; name: string };

interface Claim {
  name: string;
  /** The id of its request: the greater, the later it was made. */
  request: string;
  /** Aborts when another tab objects. */
  objected: AbortController;
}

/** The part of the Web Locks API that run streams use; exclusive locks only. */
export class TabLocks implements Pick<LockManager, "request"> {
  #channel = new BroadcastChannel("inkstream-locks");
  #held = new Map<string, (reason: Error) => void>();
  /** This tab's open claims, by id. */
  #claims = new Map<string, Claim>();
  /** When another tab claimed a lock, by name. */
  #seen = new Map<string, number>();
  #wakers = new Set<(name: string) => void>();

  constructor() {
    this.#channel.onmessage = ({ data }: MessageEvent<Message>) => this.#receive(data);
    addEventListener("pagehide", () => this.#held.forEach((_, name) => this.#post({ kind: "free", name })));
  }

  request<T>(name: string, work: LockGrantedCallback<T>): Promise<Awaited<T>>;
  request<T>(name: string, options: LockOptions, work: LockGrantedCallback<T>): Promise<Awaited<T>>;
  async request<T>(
    name: string,
    ...[first, last]: [LockGrantedCallback<T>] | [LockOptions, LockGrantedCallback<T>]
  ): Promise<Awaited<T>> {
    const work = last ?? (first as LockGrantedCallback<T>);
    const { ifAvailable = false, steal = false, signal } = last ? (first as LockOptions) : {};
    if (steal) {
      this.#lose(name);
      this.#post({ kind: "steal", name });
      return await this.#hold(name, work);
    }
    const id = `${Date.now().toString().padStart(15, "0")} ${newId()}`;
    for (;;) {
      if (signal?.aborted) throw new DOMException("given up", "AbortError");
      const got = await this.#claim(name, id);
      if (got && !signal?.aborted) return await this.#hold(name, work);
      if (ifAvailable) return await work(null);
      if (!signal?.aborted) await this.#freed(name, signal);
    }
  }

  /** Whether the lock is this tab's. */
  async #claim(name: string, request: string): Promise<boolean> {
    const isClaimed = [...this.#claims.values()].some((claim) => claim.name === name);
    if (
      this.#held.has(name) ||
      isClaimed ||
      performance.now() - (this.#seen.get(name) ?? -Infinity) < ANSWER_MS
    )
      return false;
    const id = newId();
    const objected = new AbortController();
    this.#claims.set(id, { name, request, objected });
    this.#post({ kind: "claim", name, id, request });
    // in two steps: after this tab was busy, its timer may come before the messages that had arrived
    await sleep(ANSWER_MS / 2, objected.signal);
    await sleep(ANSWER_MS / 2, objected.signal);
    this.#claims.delete(id);
    return !objected.signal.aborted && !this.#held.has(name);
  }

  async #hold<T>(name: string, work: LockGrantedCallback<T>): Promise<Awaited<T>> {
    const lost = new Promise<never>((_, lose) => this.#held.set(name, lose));
    const lose = this.#held.get(name);
    try {
      return await Promise.race([work({ name, mode: "exclusive" }), lost]);
    } finally {
      if (this.#held.get(name) === lose) {
        this.#held.delete(name);
        this.#post({ kind: "free", name });
        this.#wake(name);
      }
    }
  }

  #lose(name: string): void {
    this.#held.get(name)?.(new DOMException("stolen by another tab", "AbortError"));
    this.#held.delete(name);
  }

  #receive(message: Message): void {
    if (message.kind === "claim") {
      const { name, id, request } = message;
      this.#seen.set(name, performance.now());
      const claim = [...this.#claims.values()].find((one) => one.name === name);
      if (claim && claim.request > request) claim.objected.abort();
      else if (claim || this.#held.has(name)) this.#post({ kind: "object", id });
    } else if (message.kind === "object") {
      this.#claims.get(message.id)?.objected.abort();
    } else if (message.kind === "free") this.#wake(message.name);
    else this.#lose(message.name);
  }

  #wake(name: string): void {
    for (const wake of this.#wakers) wake(name);
  }

  /** Resolves when the lock may be free. */
  async #freed(name: string, signal: AbortSignal | undefined): Promise<void> {
    const woken = new AbortController();
    const wake = (freed: string) => freed === name && woken.abort();
    this.#wakers.add(wake);
    await sleep(RETRY_MS, signal ? AbortSignal.any([signal, woken.signal]) : woken.signal);
    this.#wakers.delete(wake);
  }

  #post(message: Message): void {
    this.#channel.postMessage(message);
  }
}

let ofThisTab: TabLocks | undefined;

export function tabLocks(): TabLocks {
  return (ofThisTab ??= new TabLocks());
}
