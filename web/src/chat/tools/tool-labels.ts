/** Labels of tool calls for the user. */

import { toolOf, type Tool, type ToolName } from "../../api/tools.ts";
import type { Id, Json } from "../../api/types.ts";
import type { ToolPart } from "../runs/parts.svelte.ts";

const SEARCH: ToolName = "search_notes";

export interface Described {
  verb: string;
  /** The query of a search; null for other tools. */
  object: string | null;
  note: boolean;
}

export function describe(part: ToolPart): Described {
  const labels = labelsOf(part.name);
  const denied = `Did not ${labels.request[0]?.toLowerCase()}${labels.request.slice(1)}`;
  const verb =
    part.status === "running"
      ? labels.running
      : part.status === "ok"
        ? labels.done
        : part.status === "denied"
          ? denied
          : labels.failed;
  const query = part.name === SEARCH ? argument(part, "query") : null;
  return { verb, object: query === null ? null : `“${query}”`, note: labels.with_title };
}

/** An unknown tool is labelled with its name. */
function labelsOf(name: string): Tool["labels"] {
  return toolOf(name)?.labels ?? { request: name, running: name, done: name, failed: name, with_title: true };
}

/** A call that waits for approval, as a question: “Delete “Shopping list”?”. */
export function question(part: ToolPart, title: string | null): string {
  const { request, with_title } = labelsOf(part.name);
  return with_title ? `${request} ${title ? `“${title}”` : "a note"}?` : `${request}?`;
}

/** A duration in a short format. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
}

/** The id and title of the note that a call is about, from its arguments or its result. */
export function noteOf(
  part: ToolPart,
  titleOf: (id: Id) => string | null,
): { id: Id | null; title: string | null } {
  const result = record(part.result);
  const given = record(part.arguments);
  const id = part.noteId ?? text(given["note_id"]) ?? text(result["id"]);
  const title =
    text(result["title"]) ?? text(given["title"]) ?? partial(part, "title") ?? (id ? titleOf(id) : null);
  return { id, title: title ?? null };
}

/** A string argument, also from arguments that are still streaming. */
export function argument(part: ToolPart, name: string): string | null {
  return text(record(part.arguments)[name]) ?? partial(part, name);
}

function partial(part: ToolPart, name: string): string | null {
  const found = new RegExp(`"${name}"\\s*:\\s*"((?:[^"\\\\]|\\\\.)*)`).exec(part.argumentsText);
  if (!found) return null;
  try {
    return JSON.parse(`"${found[1]}"`) as string;
  } catch {
    return null;
  }
}

function record(value: Json | undefined): Record<string, Json> {
  if (typeof value === "string" && value.startsWith("{")) {
    try {
      return record(JSON.parse(value) as Json);
    } catch {
      return {};
    }
  }
  return value && typeof value === "object" && !Array.isArray(value) ? value : {};
}

function text(value: Json | undefined): string | null {
  return typeof value === "string" && value ? value : null;
}
