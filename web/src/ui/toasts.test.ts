import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { Toasts } from "./toasts.svelte.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("disappears after a while, later if it has an action", () => {
  const toasts = new Toasts();
  toasts.say("plain");
  toasts.say("in the trash", { label: "Undo", run: () => undefined });
  vi.advanceTimersByTime(6_000);
  expect(toasts.shown.map(({ text }) => text)).toEqual(["in the trash"]);
  vi.advanceTimersByTime(6_000);
  expect(toasts.shown).toEqual([]);
});

it("stays until the user reacts if it is an offer, however many others are shown", () => {
  const toasts = new Toasts();
  toasts.offer("new", { label: "Reload", run: () => undefined });
  for (const text of ["one", "two", "three", "four"]) toasts.say(text);
  expect(toasts.shown.map(({ text }) => text)).toEqual(["new", "two", "three", "four"]);
  vi.advanceTimersByTime(60_000);
  expect(toasts.shown.map(({ text }) => text)).toEqual(["new"]);
});

it("stays while it is held", () => {
  const toasts = new Toasts();
  toasts.say("plain");
  toasts.hold(true);
  vi.advanceTimersByTime(60_000);
  expect(toasts.shown).toHaveLength(1);
  toasts.hold(false);
  expect(toasts.shown).toEqual([]);
});
