/** The fields of a note that a person can change: their difference, and the merge of two people's changes. */

import { BLANK, type NoteFields } from "../../api/note-fields.ts";
import { merged } from "./merge.ts";

const FIELDS = Object.keys(BLANK) as (keyof NoteFields)[];
const BESIDE_TEXT = FIELDS.filter((name) => name !== "title" && name !== "body");

/** An object of these fields with the values that `value` gives. */
const fromEntries = <F extends Partial<NoteFields>>(
  names: (keyof NoteFields)[],
  value: (name: keyof NoteFields) => unknown,
) => Object.fromEntries(names.map((name) => [name, value(name)])) as F;

const isSame = (one: unknown, other: unknown) =>
  one === other || (typeof one === "object" && JSON.stringify(one) === JSON.stringify(other));

/** The fields alone; one that the server leaves out is blank. */
export function fieldsOf(note: NoteFields): NoteFields {
  return fromEntries(FIELDS, (name) => note[name] ?? BLANK[name]);
}

/** The fields to write so that `base` becomes `mine`; without a base, to create the note. */
export function changesOf(base: NoteFields | null, mine: NoteFields): Partial<NoteFields> {
  const before = fieldsOf(base ?? BLANK);
  const after = { ...fieldsOf(mine), title: mine.title.trim() };
  return fromEntries(
    FIELDS.filter((name) => !isSame(after[name], before[name])),
    (name) => after[name],
  );
}

/** `mine` put on top of a newer version; null where both changed the same place of the text. */
export function rebased(base: NoteFields, mine: NoteFields, theirs: NoteFields): NoteFields | null {
  const title = merged(base.title, mine.title, theirs.title);
  const body = merged(base.body, mine.body, theirs.body);
  return title === null || body === null ? null : { title, body, ...besideText(base, mine, theirs) };
}

/**
 * The fields that are not text: the changed value, or that of `mine` if both changed it. Of properties, that is decided
 * for each.
 */
export function besideText(
  base: NoteFields,
  mine: NoteFields,
  theirs: NoteFields,
): Omit<NoteFields, "title" | "body"> {
  const fields = fromEntries<Omit<NoteFields, "title" | "body">>(
    BESIDE_TEXT,
    (name) => (isSame(mine[name], base[name]) ? theirs : mine)[name],
  );
  const [before, ours, other] = [base, mine, theirs].map((note) => note.properties ?? {});
  return { ...fields, properties: mergedProperties(before!, ours!, other!) };
}

type Properties = NoteFields["properties"];

/** In the order of the side that changed something; a property of the other side only comes last. */
function mergedProperties(base: Properties, mine: Properties, theirs: Properties): Properties {
  if (isSame(mine, base)) return theirs;
  if (isSame(theirs, base)) return mine;
  const merged = new Map<string, Properties[string]>();
  for (const name of new Set([...Object.keys(mine), ...Object.keys(theirs)])) {
    const wanted = isSame(mine[name], base[name]) ? theirs : mine;
    if (Object.hasOwn(wanted, name)) merged.set(name, wanted[name]!);
  }
  return Object.fromEntries(merged);
}

/** What a note without a title is called: its first line. */
export function titleFrom(body: string): string {
  const line = body
    .split("\n")
    .map((text) => text.replace(/^[#>\-*\s]+/, "").trim())
    .find(Boolean);
  return line?.slice(0, 80) || "Untitled";
}
