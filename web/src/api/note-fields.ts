/** The fields of a note that a user can change. The page's only list of them; their types come from the contracts. */

import type { NoteContent } from "./types.ts";

export type NoteFields = NoteContent;

/** Every field with its value in an empty note. */
export const BLANK: NoteFields = {
  title: "",
  body: "",
  tags: [],
  pinned: false,
  archived: false,
  properties: {},
};
