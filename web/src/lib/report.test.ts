import { afterEach, expect, test, vi } from "vitest";

import { onReport, report, reportCount, reportUncaught } from "./report.ts";

afterEach(() => {
  onReport(() => {});
  vi.restoreAllMocks();
});

test("a report is written with its stack, counted, and told", () => {
  const written = vi.spyOn(console, "error").mockImplementation(() => {});
  const told = vi.fn();
  onReport(told);
  const before = reportCount();
  const bug = new TypeError("x is undefined");
  report(bug);
  expect(written).toHaveBeenCalledExactlyOnceWith(bug);
  expect(told).toHaveBeenCalledOnce();
  expect(reportCount()).toBe(before + 1);
});

test("what nobody caught is reported", () => {
  const written = vi.spyOn(console, "error").mockImplementation(() => {});
  const target = new EventTarget();
  reportUncaught(target as Window);
  target.dispatchEvent(Object.assign(new Event("unhandledrejection"), { reason: "left alone" }));
  target.dispatchEvent(Object.assign(new Event("error"), { error: "thrown" }));
  expect(written.mock.calls).toEqual([["left alone"], ["thrown"]]);
});
