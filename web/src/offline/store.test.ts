import "fake-indexeddb/auto";

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { reportCount } from "../lib/report.ts";
import { deleteDatabase, Store } from "./store.ts";

let store: Store;
const written = vi.spyOn(console, "error");

beforeEach(() => {
  written.mockReset().mockImplementation(() => {});
  store = new Store("u1");
});

afterEach(async () => {
  await store.close();
  await deleteDatabase("u1");
});

describe("work in the store that fails", () => {
  it("returns the fallback without a report if the device is the reason", async () => {
    const before = reportCount();
    for (const name of ["QuotaExceededError", "AbortError", "UnknownError", "InvalidStateError"]) {
      const work = () => Promise.reject(new DOMException("no", name));
      expect(await store.run(work, "fallback")).toBe("fallback");
    }
    expect(reportCount()).toBe(before);
    expect(written).not.toHaveBeenCalled();
  });

  it("is reported if it is a bug, and returns the fallback", async () => {
    const bugs = [new TypeError("x is undefined"), new DOMException("bad key", "DataError")];
    const before = reportCount();
    for (const bug of bugs) expect(await store.run(() => Promise.reject(bug), 0)).toBe(0);
    expect(reportCount()).toBe(before + 2);
    expect(written.mock.calls).toEqual(bugs.map((bug) => [bug]));
  });

  it("is not reported if another tab's sign-out closed the database", async () => {
    const before = reportCount();
    await store.close();
    expect(await store.run((database) => database.count("drafts"), 7)).toBe(7);
    expect(reportCount()).toBe(before);
  });
});
