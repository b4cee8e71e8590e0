// @vitest-environment node
import { describe, expect, it } from "vitest";

import { changeBetween, merged, movedBy } from "./merge.ts";

const apply = (text: string, change: ReturnType<typeof changeBetween>) =>
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

describe("merging", () => {
  it("keeps both changes where they are apart", () => {
    expect(merged("milk\neggs\nbread", "oat milk\neggs\nbread", "milk\neggs\nbread\nbutter")).toBe(
      "oat milk\neggs\nbread\nbutter",
    );
    expect(merged("milk\neggs\nbread", "milk\neggs\nbread\nbutter", "oat milk\neggs\nbread")).toBe(
      "oat milk\neggs\nbread\nbutter",
    );
  });

  it("takes the only change there is", () => {
    expect(merged("a", "a", "b")).toBe("b");
    expect(merged("a", "b", "a")).toBe("b");
    expect(merged("a", "b", "b")).toBe("b");
  });

  it("gives up where the changes meet", () => {
    expect(merged("milk", "oat milk", "soy milk")).toBeNull();
    expect(merged("milk", "milk and tea", "milk and coffee")).toBeNull();
  });
});
