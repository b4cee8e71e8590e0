// @vitest-environment node
import { describe, expect, it } from "vitest";

import { edited, readable } from "./readable.ts";

describe("a tool's arguments or result", () => {
  it("are shown field by field", () => {
    expect(readable({ note_id: "n1", tags: ["a", "b"], pinned: true, body: null })).toEqual({
      kind: "fields",
      fields: [
        ["note", "n1"],
        ["tags", "a, b"],
        ["pinned", "true"],
      ],
    });
  });

  it("are shown as a list of notes if they are one", () => {
    const notes = [{ id: "n1", title: "List", preview: "…" }];
    const shown = { kind: "notes", notes: [{ id: "n1", title: "List" }] };
    expect(readable({ notes })).toEqual(shown);
    expect(readable(JSON.stringify({ notes }))).toEqual(shown);
    expect(readable({ notes: [] })).toEqual({ kind: "notes", notes: [] });
  });

  it("are shown as a message if it is an error", () => {
    expect(readable({ error: { code: "not_found", message: "There is no such note." } })).toEqual({
      kind: "text",
      text: "There is no such note.",
    });
  });

  it("are shown as raw text if their shape is unknown", () => {
    expect(readable("{broken")).toEqual({ kind: "text", text: "{broken" });
    expect(readable([1, { a: 2 }])).toMatchObject({ kind: "text" });
    expect(readable(null)).toEqual({ kind: "none" });
    expect(readable({})).toEqual({ kind: "none" });
  });

  it("are shown as a diff for an edit", () => {
    expect(edited("edit_note", { note_id: "n", find: "milk", replace: "oat milk" })).toEqual({
      out: "milk",
      in: "oat milk",
    });
    expect(edited("edit_note", { note_id: "n", append: "tea", find: null })).toEqual({
      out: null,
      in: "tea",
    });
    expect(edited("edit_note", { note_id: "n" })).toBeNull();
    expect(edited("create_note", { find: "x" })).toBeNull();
  });
});
