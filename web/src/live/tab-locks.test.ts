import { expect, it } from "vitest";

import { TabLocks } from "./tab-locks.ts";

/** Tabs that all want the lock at once: how many had it at the same time, and how many had it at all. */
async function compete(tabs: TabLocks[], options: LockOptions = {}): Promise<[most: number, had: number]> {
  let holding = 0;
  let most = 0;
  let had = 0;
  await Promise.all(
    tabs.map((tab) =>
      tab.request("a", options, async (lock) => {
        if (!lock) return;
        had += 1;
        most = Math.max(most, ++holding);
        await new Promise((resolve) => setTimeout(resolve, 20));
        holding -= 1;
      }),
    ),
  );
  return [most, had];
}

const tabs = (count: number) => Array.from({ length: count }, () => new TabLocks());

it("one tab has the lock at a time, and each gets it in the end", { timeout: 60_000 }, async () => {
  expect(await compete(tabs(5))).toEqual([1, 5]);
});

it("one of those that want it only if it is free gets it", async () => {
  expect((await compete(tabs(4), { ifAvailable: true }))[1]).toBeLessThanOrEqual(1);
  expect(await compete(tabs(1), { ifAvailable: true })).toEqual([1, 1]);
});

it("two requests of one tab wait for each other", async () => {
  const [tab] = tabs(1) as [TabLocks];
  expect(await compete([tab, tab, tab])).toEqual([1, 3]);
});

it("a request that is given up rejects, and does not block others", async () => {
  const [holder, waiting, last] = tabs(3) as [TabLocks, TabLocks, TabLocks];
  let release: () => void = () => undefined;
  let begun = false;
  const held = holder.request(
    "a",
    () => ((begun = true), new Promise<void>((resolve) => (release = resolve))),
  );
  await expect.poll(() => begun).toBe(true);
  const stop = new AbortController();
  const given = waiting.request("a", { signal: stop.signal }, () => Promise.resolve("never"));
  stop.abort();
  await expect(given).rejects.toBeInstanceOf(DOMException);
  const next = last.request("a", () => Promise.resolve("next"));
  release();
  await held;
  expect(await next).toBe("next");
});

it("a stolen lock is lost", async () => {
  const [holder, thief] = tabs(2) as [TabLocks, TabLocks];
  let begun = false;
  const held = holder.request("a", () => ((begun = true), new Promise(() => undefined)));
  await expect.poll(() => begun).toBe(true);
  const lost = expect(held).rejects.toBeInstanceOf(DOMException);
  expect(await thief.request("a", { steal: true }, () => Promise.resolve("mine"))).toBe("mine");
  await lost;
});
