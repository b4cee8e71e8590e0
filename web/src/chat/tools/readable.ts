/** Formats a tool's arguments and results for display. */

import type { ToolName } from "../../api/tools.ts";
import type { Id, Json } from "../../api/types.ts";

export type Readable =
  | { kind: "none" }
  | { kind: "text"; text: string }
  | { kind: "fields"; fields: [name: string, value: string][] }
  | { kind: "notes"; notes: { id: Id; title: string }[] };

const EDIT: ToolName = "edit_note";
const NAMES: Record<string, string> = { note_id: "note", query: "search for" };

export function readable(value: Json | undefined): Readable {
  const parsed = parse(value);
  if (parsed === undefined || parsed === null || parsed === "") return { kind: "none" };
  if (typeof parsed !== "object" || Array.isArray(parsed)) return { kind: "text", text: plain(parsed) };
  const error = parsed["error"];
  if (isRecord(error) && typeof error["message"] === "string")
    return { kind: "text", text: error["message"] };
  const notes = notesOf(parsed["notes"]);
  if (notes) return { kind: "notes", notes };
  const given = Object.entries(parsed).filter(([name, field]) => field !== null && name !== "id");
  if (given.length === 0) return { kind: "none" };
  return { kind: "fields", fields: given.map(([name, field]) => [NAMES[name] ?? name, plain(field)]) };
}

/** The text that an edit removes and inserts; null for any other call. */
export function edited(
  tool: string,
  value: Json | undefined,
): { out: string | null; in: string | null } | null {
  const parsed = parse(value);
  if (tool !== EDIT || !isRecord(parsed)) return null;
  const text = (name: string) => (typeof parsed[name] === "string" ? parsed[name] : null);
  const change = { out: text("find"), in: text("replace") ?? text("append") };
  return (change.out ?? change.in) ? change : null;
}

function notesOf(value: Json | undefined): { id: Id; title: string }[] | null {
  if (!Array.isArray(value)) return null;
  const notes = value.flatMap((note) => {
    if (!isRecord(note) || typeof note["id"] !== "string" || typeof note["title"] !== "string") return [];
    return [{ id: note["id"], title: note["title"] }];
  });
  return notes.length === value.length ? notes : null;
}

function parse(value: Json | undefined): Json | undefined {
  if (typeof value !== "string" || !/^\s*[[{]/.test(value)) return value;
  try {
    return JSON.parse(value) as Json;
  } catch {
    return value;
  }
}

function plain(value: Json): string {
  if (typeof value === "string") return value;
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value.join(", ");
  return JSON.stringify(value, null, 2);
}

function isRecord(value: Json | undefined): value is Record<string, Json> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
