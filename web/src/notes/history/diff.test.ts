import { describe, expect, it } from "vitest";

import { differences, type Piece } from "./diff.ts";

const side = (pieces: Piece[], without: "in" | "out") =>
  pieces
    .filter((piece) => piece.kind !== without)
    .map((piece) => piece.text)
    .join("");

const LONG = Array.from({ length: 60 }, (_, line) => `line ${line}\n`).join("");

describe("differences", () => {
  it("are as small as words", () => {
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
  ])("hold both texts whole (%#)", (before, after) => {
    const pieces = differences(before, after);
    expect(side(pieces, "in")).toBe(before);
    expect(side(pieces, "out")).toBe(after);
  });

  it("fold what lies far from a change", () => {
    const pieces = differences(LONG, LONG.replace("line 30", "line thirty"));
    expect(pieces.map((piece) => piece.kind)).toEqual(["folded", "same", "out", "in", "same", "folded"]);
    expect(pieces[0]?.text).toContain("line 0\n");
  });
});
