// @vitest-environment node
import { describe, expect, it } from "vitest";

import { noteName, relativeAddress, wikiLinkAt, writtenLink } from "./wiki-link.ts";

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

describe("a link to a file beside the note", () => {
  it.each([
    ["Other.md", "./Other.md"],
    ["../Folder/Other%20one.md#part", "../Folder/Other%20one.md#part"],
    ["./Other", "./Other"],
  ])("is %j", (href, title) => {
    expect(relativeAddress(href)).toBe(title);
    expect(writtenLink(title)).toBe(title);
  });

  it.each([
    "https://example.org",
    "//example.org",
    "/notes",
    "#part",
    "mailto:a@b",
    "javascript:x",
    "?q",
    "",
    "\\\\host",
  ])("is not %j", (href) => expect(relativeAddress(href)).toBeNull());
});

it.each([
  ["Note#Part", "Note"],
  ["Note#^b1", "Note"],
  ["Note^b1", "Note"],
  ["C#", "C#"],
  ["Folder/Note", "Folder/Note"],
  ["../Folder/Other%20one.md#part", "Folder/Other one"],
  ["./100%.md", "100%"],
])("the note of %j is called %j", (title, name) => expect(noteName(title)).toBe(name));
