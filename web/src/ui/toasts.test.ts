import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { Toasts } from "./toasts.svelte.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("goes away after a while, later where it can be answered", () => {
  const toasts = new Toasts();
  toasts.say("plain");
  toasts.say("in the trash", { label: "Undo", run: () => undefined });
  vi.advanceTimersByTime(6_000);
  expect(toasts.shown.map(({ text }) => text)).toEqual(["in the trash"]);
  vi.advanceTimersByTime(6_000);
  expect(toasts.shown).toEqual([]);
});

it("stays while one looks at it", () => {
  const toasts = new Toasts();
  toasts.say("plain");
  toasts.hold(true);
  vi.advanceTimersByTime(60_000);
  expect(toasts.shown).toHaveLength(1);
  toasts.hold(false);
  expect(toasts.shown).toEqual([]);
});
