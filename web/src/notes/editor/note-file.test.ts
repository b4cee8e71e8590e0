import { describe, expect, it } from "vitest";

import { asMarkdown, fileName } from "./note-file.ts";

describe("a note as a file", () => {
  it("begins with its title, once", () => {
    expect(asMarkdown({ title: "Plan", body: "one" })).toBe("# Plan\n\none");
    expect(asMarkdown({ title: "Plan", body: "# Plan\n\none" })).toBe("# Plan\n\none");
    expect(asMarkdown({ title: " ", body: "" })).toBe("# Untitled\n\n");
  });

  it.each([
    ["Plan: a/b?", "Plan a b"],
    ["..", "Untitled"],
    [".hidden", "hidden"],
    ["Zürich 買い物", "Zürich 買い物"],
    ["😀".repeat(200), "😀".repeat(100)],
  ])("has a name that file systems take: %s", (title, name) => {
    expect(fileName(title)).toBe(name);
  });
});
