/** What a tool call is called in a person's words. */

import type { Id, Json, NoteSummary } from "../../api/types.ts";
import type { ToolPart } from "../runs/parts.svelte.ts";

interface Verb {
  /** How the person is asked for their word. */
  ask: string;
  now: string;
  done: string;
  failed: string;
  /** Whether the call is about one note, whose title follows the verb. */
  note: boolean;
}

const VERBS: Record<string, Verb> = {
  list_notes: {
    ask: "Look through your notes",
    now: "Looking through your notes",
    done: "Looked through your notes",
    failed: "Could not list your notes",
    note: false,
  },
  search_notes: {
    ask: "Search your notes",
    now: "Searching",
    done: "Searched",
    failed: "Could not search",
    note: false,
  },
  read_note: { ask: "Read", now: "Reading", done: "Read", failed: "Could not read", note: true },
  create_note: { ask: "Create", now: "Creating", done: "Created", failed: "Could not create", note: true },
  update_note: { ask: "Change", now: "Changing", done: "Changed", failed: "Could not change", note: true },
  edit_note: { ask: "Edit", now: "Editing", done: "Edited", failed: "Could not edit", note: true },
  delete_note: { ask: "Delete", now: "Deleting", done: "Deleted", failed: "Could not delete", note: true },
};

export interface Described {
  verb: string;
  /** What was searched for, where that says more than a title. */
  object: string | null;
  note: boolean;
}

export function describe(part: ToolPart): Described {
  const verb = VERBS[part.name] ?? unknown(part.name);
  const refused = `Did not ${verb.ask[0]?.toLowerCase()}${verb.ask.slice(1)}`;
  const word =
    part.status === "running"
      ? verb.now
      : part.status === "ok"
        ? verb.done
        : part.status === "denied"
          ? refused
          : verb.failed;
  const query = part.name === "search_notes" ? argument(part, "query") : null;
  return { verb: word, object: query === null ? null : `“${query}”`, note: verb.note };
}

function unknown(name: string): Verb {
  return { ask: name, now: name, done: name, failed: name, note: true };
}

/** A call that waits, as a question: “Delete “Shopping list”?”. */
export function question(part: ToolPart, title: string | null): string {
  const verb = VERBS[part.name] ?? unknown(part.name);
  return verb.note ? `${verb.ask} ${title ? `“${title}”` : "a note"}?` : `${verb.ask}?`;
}

/** A duration as short as it can be read. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
}

/** What a note's id and title are called in a call's arguments or result, wherever they stand. */
export function noteOf(
  part: ToolPart,
  known: (id: Id) => NoteSummary | undefined,
): { id: Id | null; title: string | null } {
  const result = record(part.result);
  const given = record(part.arguments);
  const id = part.noteId ?? text(given["note_id"]) ?? text(result["id"]);
  const title =
    text(result["title"]) ?? text(given["title"]) ?? (id ? known(id)?.title : null) ?? partial(part, "title");
  return { id, title: title ?? null };
}

/** A string argument, also while it is still being written. */
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
