import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { FakeLocks } from "../lib/fake-locks.ts";
import { SharedRun } from "./shared-run.ts";
import { TabLocks } from "./tab-locks.ts";

/** A gateway whose runs advance when the test says so. */
class Gateway {
  /** `run after`, for each connection. */
  requests: string[] = [];
  open = 0;
  mostOpen = 0;
  #listeners = new Set<() => void>();
  #last = new Map<string, number>();

  /** Events up to `last` have happened; the last of all is number 9. */
  advance(run: string, last: number): void {
    this.#last.set(run, last);
    for (const listener of this.#listeners) listener();
  }

  answer = (path: unknown, init: RequestInit = {}): Promise<Response> => {
    const run = String(path).split("/")[3] ?? "";
    let at = Number(new Headers(init.headers).get("last-event-id") ?? 0);
    this.requests.push(`${run} ${at}`);
    this.open += 1;
    this.mostOpen = Math.max(this.mostOpen, this.open);
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        const end = () => {
          this.open -= 1;
          this.#listeners.delete(more);
        };
        const more = () => {
          while (at < (this.#last.get(run) ?? 0)) {
            at += 1;
            const name = at === 9 ? "done" : "token";
            controller.enqueue(new TextEncoder().encode(`id: ${at}\nevent: ${name}\ndata: {}\n\n`));
          }
          if (at < 9) return;
          end();
          controller.close();
        };
        this.#listeners.add(more);
        init.signal?.addEventListener("abort", () => {
          if (!this.#listeners.has(more)) return;
          end();
          controller.error(new DOMException("aborted", "AbortError"));
        });
        more();
      },
    });
    return Promise.resolve(new Response(body));
  };
}

const ALL = [1, 2, 3, 4, 5, 6, 7, 8, 9];
let gateway: Gateway;
let locks: LockManager;
let secure: boolean;
let tabs: AbortController[];

/** A tab that follows a run: the ids it received, its end, and how to close it. */
function follow(run = "r") {
  const tab = new AbortController();
  tabs.push(tab);
  const ids: number[] = [];
  const listener = {
    events: (events: { id: string }[]) => void ids.push(...events.map(({ id }) => Number(id))),
    connected: () => undefined,
  };
  const shared = new SharedRun(run, listener, secure ? locks : new TabLocks());
  return { ids, ended: shared.follow(tab.signal), close: () => tab.abort() };
}
const settled = (check: () => void) => vi.waitFor(check, { timeout: 30_000 });

beforeEach(() => {
  tabs = [];
  gateway = new Gateway();
  locks = new FakeLocks() as unknown as LockManager;
  secure = true;
  vi.stubGlobal("fetch", gateway.answer);
  vi.stubGlobal("navigator", { ...navigator, locks });
});

afterEach(() => {
  for (const tab of tabs) tab.abort();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe.each([
  ["with locks", true],
  ["without locks, in an insecure context", false],
])("a run in several tabs, %s,", (_, withLocks) => {
  beforeEach(() => void (secure = withLocks));

  it("is read once and delivered to all", async () => {
    const all = [follow(), follow(), follow()];
    gateway.advance("r", 4);
    await settled(() => expect(all.map(({ ids }) => ids.length)).toEqual([4, 4, 4]));
    gateway.advance("r", 9);
    await Promise.all(all.map(({ ended }) => ended));
    expect(all.map(({ ids }) => ids)).toEqual([ALL, ALL, ALL]);
    expect(gateway.requests).toEqual(["r 0"]);
  });

  it("is replayed from its beginning to a tab that joins late", async () => {
    const first = follow();
    gateway.advance("r", 6);
    await settled(() => expect(first.ids).toHaveLength(6));
    const late = follow();
    await settled(() => expect(late.ids).toHaveLength(6));
    gateway.advance("r", 9);
    await late.ended;
    expect(late.ids).toEqual(ALL);
    expect(gateway.requests).toEqual(["r 0"]);
  });

  it("continues without a gap or a duplicate when the leading tab closes", async () => {
    const [first, second, third] = [follow(), follow(), follow()];
    gateway.advance("r", 3);
    await settled(() => expect(third.ids).toHaveLength(3));
    first.close();
    gateway.advance("r", 5);
    await settled(() => expect(third.ids).toHaveLength(5));
    second.close();
    gateway.advance("r", 9);
    await third.ended;
    expect(third.ids).toEqual(ALL);
    // without locks, any of the tabs may lead
    if (withLocks) expect(gateway.requests).toEqual(["r 0", "r 3", "r 5"]);
    else expect(gateway.mostOpen).toBe(1);
  });

  it.runIf(withLocks)("is taken over from a leading tab that has become silent", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    void locks.request("inkstream-run-r", () => new Promise(() => undefined)).catch(() => undefined);
    const waiting = follow();
    gateway.advance("r", 9);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(waiting.ids).toEqual([]);
    await vi.advanceTimersByTimeAsync(10_000);
    await waiting.ended;
    expect(waiting.ids).toEqual(ALL);
  });
});

describe.each([
  ["with locks", true],
  ["without locks, in an insecure context", false],
])("many runs at once, %s,", (_, withLocks) => {
  beforeEach(() => void (secure = withLocks));

  it("share few connections, and all of them make progress", async () => {
    const runs = ["a", "b", "c", "d", "e", "f"];
    const all = runs.map((run) => follow(run));
    for (const run of runs) gateway.advance(run, 5);
    await settled(() => expect(all.map(({ ids }) => ids.length)).toEqual(runs.map(() => 5)));
    for (const run of runs) gateway.advance(run, 9);
    await Promise.all(all.map(({ ended }) => ended));
    expect(all.map(({ ids }) => ids)).toEqual(runs.map(() => ALL));
    expect(gateway.mostOpen).toBeLessThanOrEqual(4);
  });
});
