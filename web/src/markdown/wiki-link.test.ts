// @vitest-environment node
import { describe, expect, it } from "vitest";

import { wikiLinkAt } from "./wiki-link.ts";

describe("a wiki link", () => {
  it.each([
    ["[[Garden]] and more", { title: "Garden", shown: "Garden", raw: "[[Garden]]" }],
    ["[[ Garden | the garden ]]", { title: "Garden", shown: "the garden", raw: "[[ Garden | the garden ]]" }],
    ["[[Garden\\|in a table]]", { title: "Garden", shown: "in a table", raw: "[[Garden\\|in a table]]" }],
  ])("is parsed from %j", (text, link) => {
    expect(wikiLinkAt(text)).toEqual(link);
  });

  it.each(["[[]]", "[[ ]]", "[[a]", "[a]]", " [[a]]", "[[a\nb]]", "[[a[b]]", "[[|b]]", "[["])(
    "is not parsed from %j",
    (text) => expect(wikiLinkAt(text)).toBeNull(),
  );
});
