// @vitest-environment node
import { describe, expect, it } from "vitest";

import { merged, threeWay } from "./merge.ts";

describe("merging", () => {
  it("keeps both changes if they do not touch", () => {
    expect(merged("milk\neggs\nbread", "oat milk\neggs\nbread", "milk\neggs\nbread\nbutter")).toBe(
      "oat milk\neggs\nbread\nbutter",
    );
    expect(merged("milk\neggs\nbread", "milk\neggs\nbread\nbutter", "oat milk\neggs\nbread")).toBe(
      "oat milk\neggs\nbread\nbutter",
    );
  });

  it("takes the only change", () => {
    expect(merged("a", "a", "b")).toBe("b");
    expect(merged("a", "b", "a")).toBe("b");
    expect(merged("a", "b", "b")).toBe("b");
  });

  it("fails if the changes touch", () => {
    expect(merged("milk", "oat milk", "soy milk")).toBeNull();
    expect(merged("milk", "milk and tea", "milk and coffee")).toBeNull();
  });

  it("fails if both inserted into one word, even if the place is ambiguous", () => {
    expect(merged("o2.", "o22.", "o20.")).toBeNull();
    expect(merged("o2.", "o20.", "o22.")).toBeNull();
    expect(merged("aaa b", "aaaa b", "aaca b")).toBeNull();
    expect(merged("abab!", "ab!", "abcab!")).toBeNull();
    expect(merged("milk\nmilk", "milk\nmilk\nmilk", "oat milk\nmilk")).toBe("oat milk\nmilk\nmilk");
  });

  it("keeps changes at several places, interleaved with the other side's", () => {
    expect(merged("a\nb\nc\nd\ne", "A\nb\nc\nd\nE", "a\nb\nC\nd\ne")).toBe("A\nb\nC\nd\nE");
  });

  it("takes a change that both made only once", () => {
    expect(merged("a\nb\nc", "a\nB\nc\nd", "a\nB\nc")).toBe("a\nB\nc\nd");
  });

  it("does not mix two rewritten sentences", () => {
    expect(merged("the cat sat on the mat", "a cat lay on a mat", "the dog sat on the rug")).toBeNull();
  });

  it("shows both versions of conflicting lines, and merges the rest", () => {
    expect(
      threeWay("# List\nmilk\neggs\n", "# My list\noat milk\neggs\n", "# List\nsoy milk\neggs\nbread\n"),
    ).toEqual([
      { kind: "sure", text: "# My list\n" },
      { kind: "both", mine: "oat milk", theirs: "soy milk" },
      { kind: "sure", text: "\neggs\nbread\n" },
    ]);
  });

  it("includes the other changes on those lines", () => {
    expect(threeWay("one two three\nfour", "ONE two THREE\nfour", "one two 3\nfour\nfive")).toEqual([
      { kind: "both", mine: "ONE two THREE", theirs: "one two 3" },
      { kind: "sure", text: "\nfour\nfive" },
    ]);
  });

  it("shows what one side deleted and the other changed", () => {
    expect(threeWay("a\nb\nc", "a\nc", "a\nbee\nc")).toContainEqual(
      expect.objectContaining({ kind: "both" }),
    );
  });
});
