import { expect, it } from "vitest";

import { matching } from "./matching.ts";

const ALL = ["New note", "Search notes", "Notebook (old)", "Trash"];
const found = (query: string) => matching(ALL, (one) => one, query);

it("matches prefixes of words, in any order", () => {
  expect(found("")).toEqual(ALL);
  expect(found("not")).toEqual(["Notebook (old)", "New note", "Search notes"]);
  expect(found("note se")).toEqual(["Search notes"]);
  expect(found("OLD")).toEqual(["Notebook (old)"]);
  expect(found("ote")).toEqual([]);
});
