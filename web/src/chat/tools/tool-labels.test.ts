import { describe, expect, it } from "vitest";

import { ToolPart } from "../runs/parts.svelte.ts";
import { argument, describe as label, noteOf, question } from "./tool-labels.ts";

describe("a tool call", () => {
  it("names its note while its arguments are still streaming", () => {
    const tool = new ToolPart("a", "create_note");
    tool.argumentsText = '{"title":"Gr\\u00fc\\u00dfe \\"x\\" an A';
    expect(noteOf(tool, () => null).title).toBe('Grüße "x" an A');
    expect(label(tool).verb).toBe("Creating");
  });

  it("finds its note in the result, also if that is JSON as a string", () => {
    const tool = new ToolPart("a", "edit_note");
    tool.arguments = { note_id: "n1", append: "x" };
    tool.result = '{"id":"n1","title":"List"}';
    expect(noteOf(tool, () => null)).toEqual({ id: "n1", title: "List" });
  });

  it("shows a search's query", () => {
    const tool = new ToolPart("a", "search_notes");
    tool.argumentsText = '{"query":"eg';
    expect(argument(tool, "query")).toBe("eg");
    tool.status = "ok";
    expect(label(tool)).toEqual({ verb: "Searched", object: "“eg”", note: false });
  });

  it("that waits for approval is a question, and a denied one says so", () => {
    const tool = new ToolPart("a", "delete_note");
    tool.status = "waiting";
    expect(question(tool, "Shopping list")).toBe("Delete “Shopping list”?");
    tool.status = "denied";
    expect(label(tool).verb).toBe("Did not delete");
  });
});
