// @vitest-environment node
import { describe, expect, it } from "vitest";

import { changeBetween, changesBetween, movedBy, type Change } from "./changes.ts";

const apply = (text: string, change: Change | null) =>
  change ? text.slice(0, change.start) + change.text + text.slice(change.end) : text;

describe("the change between two texts", () => {
  it.each([
    ["", "milk"],
    ["milk", ""],
    ["milk\neggs", "milk\nbutter\neggs"],
    ["aaa", "aaaa"],
    ["aaaa", "aa"],
    ["😀", "😁"],
    ["a😀b", "a😁b"],
    ["ab", "ba"],
  ])("turns %j into %j", (before, after) => {
    expect(apply(before, changeBetween(before, after))).toBe(after);
  });

  it("never cuts a character in two", () => {
    expect(changeBetween("a😀", "a😁")).toEqual({ start: 1, end: 3, text: "😁" });
  });

  it("is none for equal texts", () => {
    expect(changeBetween("same", "same")).toBeNull();
  });
});

describe("a cursor", () => {
  const change = { start: 4, end: 6, text: "xyz" };

  it.each([
    [0, 0],
    [4, 4],
    [6, 7],
    [9, 10],
    [5, 5],
  ])("at %i goes to %i", (before, after) => {
    expect(movedBy(change, before)).toBe(after);
  });
});

describe("the changes between two texts", () => {
  it.each([
    ["", "milk"],
    ["milk\neggs\nbread", "oat milk\neggs\nbread\nbutter"],
    ["a 😀 b", "b 😁 a"],
    ["one two three four", "ONE two three FOUR"],
    ["Grüße  an alle", "grüße an\tAlle!"],
    ["x ".repeat(30_000), "y ".repeat(30_000)],
  ])("turn one into the other (%#)", (before, after) => {
    const changes = changesBetween(before, after);
    expect(changes.reduceRight(apply, before)).toBe(after);
    for (const [index, { start }] of changes.entries())
      expect(start).toBeGreaterThan(changes[index - 1]?.end ?? -1);
  });

  it("leave the words in between alone", () => {
    expect(changesBetween("one two three four", "ONE two three FOUR")).toEqual([
      { start: 0, end: 3, text: "ONE" },
      { start: 14, end: 18, text: "FOUR" },
    ]);
  });
});
