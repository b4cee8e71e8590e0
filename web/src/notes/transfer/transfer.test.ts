import { afterEach, beforeEach, expect, it, vi } from "vitest";

import type { ImportStatus } from "../../api/types.ts";
import { outcome, Transfer } from "./transfer.svelte.ts";

const status = (state: ImportStatus["status"], processed: number): ImportStatus => {
  return {
    status: state,
    processed,
    total: 3,
    created: processed,
    updated: 0,
    unchanged: 0,
    errors: [],
    warnings: [],
  };
};

let answers: ImportStatus[];
const finished = vi.fn();

beforeEach(() => {
  vi.useFakeTimers();
  finished.mockReset();
  vi.stubGlobal("fetch", (path: unknown, init: RequestInit) => {
    if (init.method === "POST") return Promise.resolve(Response.json({ import_id: "i1" }, { status: 202 }));
    expect(path).toBe("/api/notes/imports/i1");
    const next = answers.shift();
    return next ? Promise.resolve(Response.json(next)) : Promise.reject(new TypeError("away"));
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it("an import is followed to its end, and its progress never goes back", async () => {
  answers = [status("running", 1), status("completed", 3)];
  const transfer = new Transfer(finished);
  const taking = transfer.take([new File(["# A"], "a.md")]);
  expect(transfer.busy).toBe(true);
  await vi.advanceTimersByTimeAsync(10);
  transfer.progress("i1", 2, 3);
  transfer.progress("i1", 1, 3);
  transfer.progress("other", 3, 3);
  expect(transfer.status?.processed).toBe(2);
  await vi.advanceTimersByTimeAsync(1000);
  await taking;
  expect(finished).toHaveBeenCalledExactlyOnceWith(status("completed", 3));
  expect(transfer.busy).toBe(false);
});

it("an import retries while the server is unavailable", async () => {
  answers = [];
  const transfer = new Transfer(finished);
  void transfer.take([new File(["# A"], "a.md")]);
  await vi.advanceTimersByTimeAsync(100);
  answers = [status("completed", 3)];
  await vi.advanceTimersByTimeAsync(10_000);
  expect(finished).toHaveBeenCalledOnce();
  expect(transfer.error).toBeNull();
});

it("an import's outcome is summarised", () => {
  expect(outcome({ ...status("completed", 2), unchanged: 1 })).toBe("2 new, 1 already here");
  expect(outcome(status("completed", 0))).toBe("no notes");
});
