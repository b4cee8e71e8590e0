import { describe, expect, it } from "vitest";

import { asSent, asWritten, mentionAt, mentionsIn, messageSegments, type Mention } from "./mentions.ts";

const note = (number: number, title: string): Mention => ({
  id: `0199a000-0000-7000-8000-00000000000${number}`,
  title,
});
const SHOPPING = note(1, "Shopping");
const LIST = note(2, "Shopping list");
const ODD = note(3, "A [draft] \\ (50%+)");
const TWIN = note(4, "Shopping");
const LINK = `[Shopping list](/notes/${LIST.id})`;

describe("a mention", () => {
  it("is a link in the message sent and a title in the text field", () => {
    const sent = asSent("Add butter to @Shopping list, please", [LIST]);
    expect(sent).toBe(`Add butter to ${LINK}, please`);
    expect(asWritten(sent)).toBe("Add butter to @Shopping list, please");
    expect(messageSegments(sent)).toEqual(["Add butter to ", LIST, ", please"]);
  });

  it("is converted back and forth unchanged, whatever its title", () => {
    const written = "@Shopping and @Shopping list and @A [draft] \\ (50%+) and @Shopping";
    const sent = asSent(written, [SHOPPING, LIST, ODD, TWIN]);
    expect(mentionsIn(sent)).toEqual([SHOPPING, LIST, ODD, TWIN]);
    expect(asWritten(sent)).toBe(written);
    expect(asSent(asWritten(sent), mentionsIn(sent))).toBe(sent);
  });

  it("is plain text once its title is edited", () => {
    expect(asSent("@Shopping lis", [LIST])).toBe("@Shopping lis");
    expect(asSent("@Shopping lists", [LIST])).toBe("@Shopping lists");
  });

  it("is not any other kind of link", () => {
    const text = "[a](https://example.org) [b](/notes/new) @nobody";
    expect(messageSegments(text)).toEqual([text]);
    expect(asSent(text, [])).toBe(text);
  });
});

describe("an @ in the text field", () => {
  const at = (text: string, named: Mention[] = []) => mentionAt(text, text.length, named);

  it("starts a search for notes", () => {
    expect(at("Read @")).toEqual({ from: 5, query: "" });
    expect(at("@shop li")).toEqual({ from: 0, query: "shop li" });
    expect(mentionAt("(@sh) and more", 4, [])).toEqual({ from: 1, query: "sh" });
  });

  it("starts no search within a word, before a space, or after a complete mention", () => {
    expect(at("me@example")).toBeNull();
    expect(at("at @ noon")).toBeNull();
    expect(at("@one\n")).toBeNull();
    expect(at("@Shopping list and", [LIST])).toBeNull();
  });
});
