import { describe, expect, it } from "vitest";

import { differences, type DiffSegment } from "./diff.ts";

const side = (segments: DiffSegment[], without: "in" | "out") =>
  segments
    .filter((segment) => segment.kind !== without)
    .map((segment) => segment.text)
    .join("");

const LONG = Array.from({ length: 60 }, (_, line) => `line ${line}\n`).join("");

describe("differences", () => {
  it("are computed word by word", () => {
    expect(differences("milk and eggs", "milk and butter")).toEqual([
      { kind: "same", text: "milk and " },
      { kind: "out", text: "eggs" },
      { kind: "in", text: "butter" },
    ]);
  });

  it.each([
    ["", "all new"],
    ["all gone", ""],
    ["same", "same"],
    ["a\nb\nc\n", "a\nx\nc\n"],
    ["Grüße 🦊\n\ttab", "Grüße 🦉\n  tab"],
    [LONG, LONG.replace("line 30", "line thirty")],
    ["x ".repeat(20_000), "y ".repeat(20_000)],
  ])("contain both texts completely (%#)", (before, after) => {
    const segments = differences(before, after);
    expect(side(segments, "in")).toBe(before);
    expect(side(segments, "out")).toBe(after);
  });

  it("are folded far from a change", () => {
    const segments = differences(LONG, LONG.replace("line 30", "line thirty"));
    expect(segments.map((segment) => segment.kind)).toEqual([
      "folded",
      "same",
      "out",
      "in",
      "same",
      "folded",
    ]);
    expect(segments[0]?.text).toContain("line 0\n");
  });
});
