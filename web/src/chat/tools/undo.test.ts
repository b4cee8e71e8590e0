import { describe, expect, it } from "vitest";

import type { ToolCall } from "../../api/types.ts";
import { ToolPart } from "../runs/parts.svelte.ts";
import { affectedNotes } from "./undo.ts";

let calls = 0;
function call(name: string, note: string, status: ToolCall["status"] = "ok"): ToolPart {
  const result = { id: note, title: `Note ${note}` };
  return ToolPart.stored({ call_id: `c${calls++}`, name, arguments: { note_id: note }, status, result });
}
const effects = (...tools: ToolPart[]) =>
  affectedNotes(tools, () => null).map(({ id, effect }) => [id, effect]);

describe("the notes affected by an undo", () => {
  it("are listed once each, with the effect", () => {
    expect(effects(call("create_note", "a"), call("edit_note", "a"), call("update_note", "b"))).toEqual([
      ["a", "goes to the trash"],
      ["b", "gets its earlier text back"],
    ]);
  });

  it("include a note that was changed and deleted as restored", () => {
    expect(effects(call("edit_note", "a"), call("delete_note", "a"))).toEqual([
      ["a", "comes back from the trash"],
    ]);
  });

  it("exclude notes that were only read, failed calls, and notes that were created and deleted", () => {
    const made = [call("create_note", "c"), call("delete_note", "c")];
    expect(effects(call("read_note", "a"), call("update_note", "b", "error"), ...made)).toEqual([]);
  });
});
