import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { Search } from "./search.svelte.ts";

const ANSWER_MS = 300;
let asked: string[];

beforeEach(() => {
  vi.useFakeTimers();
  asked = [];
  vi.stubGlobal("fetch", async (path: string, { signal }: RequestInit) => {
    asked.push(new URL(path, "http://x").searchParams.get("q") ?? "");
    const number = asked.length;
    await new Promise((resolve, reject) => {
      setTimeout(resolve, ANSWER_MS);
      signal?.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
    });
    return Response.json({ results: [{ note: { id: `n${number}` }, snippet: "", rank: 1 }] });
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const shown = (search: Search) => search.hits?.map(({ note }) => note.id);

describe("a search", () => {
  it("is for what was typed last", async () => {
    const search = new Search();
    search.type("o");
    await vi.advanceTimersByTimeAsync(200);
    search.type("oat");
    await vi.advanceTimersByTimeAsync(1_000);
    expect(asked).toEqual(["o", "oat"]);
    expect(shown(search)).toEqual(["n2"]);
  });

  it("has results while notes change all the time, and then the newest", async () => {
    const search = new Search();
    search.type("oat");
    for (let change = 0; change < 30; change++) {
      search.refresh();
      await vi.advanceTimersByTimeAsync(50);
    }
    expect(search.hits).not.toBeNull();
    const before = asked.length;
    expect(before).toBeLessThan(5);
    search.refresh();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(asked.length).toBeGreaterThan(before);
    expect(shown(search)).toEqual([`n${asked.length}`]);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(asked.length).toBeLessThanOrEqual(before + 2);
  });

  it("is not repeated for changes once it is cleared", async () => {
    const search = new Search();
    search.type("oat");
    await vi.advanceTimersByTimeAsync(1_000);
    search.clear();
    search.refresh();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(asked).toHaveLength(1);
    expect(search.hits).toBeNull();
  });

  it("loads its pages one after another, each note once, and as many again after a change", async () => {
    const cursors: (string | null)[] = [];
    vi.stubGlobal("fetch", (path: string) => {
      const cursor = new URL(path, "http://x").searchParams.get("cursor");
      cursors.push(cursor);
      const first = Number(cursor ?? 0);
      const moved = first > 0 ? [first - 1] : []; // from the page before
      const ids = [...moved, first, first + 1];
      return Promise.resolve(
        Response.json({
          results: ids.map((id) => ({ note: { id: `n${id}` }, snippet: "", rank: 1 })),
          next_cursor: first < 4 ? String(first + 2) : null,
          total: 6,
        }),
      );
    });
    const search = new Search();
    search.type("oat");
    await vi.advanceTimersByTimeAsync(1_000);
    await Promise.all([search.more(), search.more()]);
    await search.more();
    await search.more();
    expect(cursors).toEqual([null, "2", "4"]);
    expect(shown(search)).toEqual(["n0", "n1", "n2", "n3", "n4", "n5"]);
    expect(search.summary).toBe("6 notes");
    search.refresh();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(cursors.slice(3)).toEqual([null, "2", "4"]);
    expect(shown(search)).toHaveLength(6);
    search.type("oats");
    await vi.advanceTimersByTimeAsync(2_000);
    expect(cursors.slice(6)).toEqual([null]);
  });
});
