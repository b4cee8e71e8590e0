/** What a person can change of a note. The page's one list of these fields: their types come from the contracts. */

import type { NoteContent } from "./types.ts";

export type NoteFields = NoteContent;

/** Every field, with the value that an empty note has. */
export const BLANK: NoteFields = { title: "", body: "", tags: [], pinned: false, archived: false };
