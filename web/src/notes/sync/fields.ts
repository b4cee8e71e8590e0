/** What a person can change of a note: what differs, and two people's changes brought together. */

import type { NoteFields } from "../../api/calls.ts";
import { merged } from "./merge.ts";

const BLANK: NoteFields = { title: "", body: "", tags: [], pinned: false, archived: false };

export function fieldsOf({ title, body, tags, pinned, archived }: NoteFields): NoteFields {
  return { title, body, tags, pinned, archived };
}

/** What has to be written so that `base` becomes `mine`; without a base, so that there is such a note. */
export function changesOf(base: NoteFields | null, mine: NoteFields): Partial<NoteFields> {
  const before = base ?? BLANK;
  const changes: Partial<NoteFields> = {};
  if (mine.title.trim() !== before.title) changes.title = mine.title.trim();
  if (mine.body !== before.body) changes.body = mine.body;
  if (mine.tags.join("\n") !== before.tags.join("\n")) changes.tags = mine.tags;
  if (mine.pinned !== before.pinned) changes.pinned = mine.pinned;
  if (mine.archived !== before.archived) changes.archived = mine.archived;
  return changes;
}

/** `mine` put on top of a newer version; null where both changed the same place of the text. */
export function rebased(base: NoteFields, mine: NoteFields, theirs: NoteFields): NoteFields | null {
  const title = merged(base.title, mine.title, theirs.title);
  const body = merged(base.body, mine.body, theirs.body);
  return title === null || body === null ? null : { title, body, ...besideText(base, mine, theirs) };
}

/** What is not text, as whoever changed it left it; where both did, as `mine` has it. */
export function besideText(
  base: NoteFields,
  mine: NoteFields,
  theirs: NoteFields,
): Omit<NoteFields, "title" | "body"> {
  const keep = <T>(before: T, my: T, their: T) =>
    JSON.stringify(my) === JSON.stringify(before) ? their : my;
  return {
    tags: keep(base.tags, mine.tags, theirs.tags),
    pinned: keep(base.pinned, mine.pinned, theirs.pinned),
    archived: keep(base.archived, mine.archived, theirs.archived),
  };
}

/** What a note without a title is called: its first line. */
export function titleFrom(body: string): string {
  const line = body
    .split("\n")
    .map((text) => text.replace(/^[#>\-*\s]+/, "").trim())
    .find(Boolean);
  return line?.slice(0, 80) || "Untitled";
}
