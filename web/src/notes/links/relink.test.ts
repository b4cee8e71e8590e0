import { describe, expect, it } from "vitest";

import { relinked } from "./relink.ts";

const renamed = (text: string) => relinked(text, "Old title", "New title");

describe("a link to a renamed note", () => {
  it.each([
    ["See [[Old title]].", "See [[New title]]."],
    ["[[Old title]][[Old title]]", "[[New title]][[New title]]"],
    ["[[Old title|what I planned]]", "[[New title|what I planned]]"],
    ["[[Old title|Old title]]", "[[New title|Old title]]"],
    ["[[ Old title | shown ]]", "[[ New title | shown ]]"],
    ["as [[old TITLE]] or [[Óld títle]]", "as [[New title]] or [[New title]]"],
    ["| a |\n|---|\n| [[Old title\\|b]] |", "| a |\n|---|\n| [[New title\\|b]] |"],
    ["- **bold [[Old title]]**\r\n", "- **bold [[New title]]**\r\n"],
  ])("is rewritten in %j", (text, after) => expect(renamed(text)).toBe(after));

  it.each([
    "Old title",
    "[[Old titles]] and [[The old title]]",
    "[[Elsewhere|Old title]]",
    "`[[Old title]]`",
    "```\n[[Old title]]\n```",
    "    [[Old title]]",
    "\\[[Old title]]",
    "[Old title](https://example.org)",
    "",
  ])("is not found in %j", (text) => expect(renamed(text)).toBe(text));
});
