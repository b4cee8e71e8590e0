import { afterEach, expect, test, vi } from "vitest";

import { forEachSafely, onReport, report, reportCount, reportUncaught } from "./report.ts";

afterEach(() => {
  onReport(() => {});
  vi.restoreAllMocks();
});

test("a report is written with its stack, counted, and passed to the handler", () => {
  const written = vi.spyOn(console, "error").mockImplementation(() => {});
  const handler = vi.fn();
  onReport(handler);
  const before = reportCount();
  const bug = new TypeError("x is undefined");
  report(bug);
  expect(written).toHaveBeenCalledExactlyOnceWith(bug);
  expect(handler).toHaveBeenCalledOnce();
  expect(reportCount()).toBe(before + 1);
});

test("an error that passes through several places is reported once", () => {
  const written = vi.spyOn(console, "error").mockImplementation(() => {});
  const bug = new TypeError("x is undefined");
  report(bug);
  report(bug);
  report(new TypeError("x is undefined"));
  expect(written).toHaveBeenCalledTimes(2);
});

test("uncaught errors are reported", () => {
  const written = vi.spyOn(console, "error").mockImplementation(() => {});
  const target = new EventTarget();
  reportUncaught(target as Window);
  target.dispatchEvent(Object.assign(new Event("unhandledrejection"), { reason: "left alone" }));
  target.dispatchEvent(Object.assign(new Event("error"), { error: "thrown" }));
  expect(written.mock.calls).toEqual([["left alone"], ["thrown"]]);
});

test("an item that fails does not stop the others", () => {
  const written = vi.spyOn(console, "error").mockImplementation(() => {});
  for (const failing of [1, 2, 3]) {
    const done: number[] = [];
    forEachSafely([1, 2, 3], (item) => {
      if (item === failing) throw new Error(`${item}`);
      done.push(item);
    });
    expect(done).toEqual([1, 2, 3].filter((item) => item !== failing));
  }
  expect(written).toHaveBeenCalledTimes(3);
});
