/** A note's list row with the fields of its draft, while the server has an older version. */

import type { NoteSummary } from "../../api/types.ts";
import type { NoteFields } from "../../api/note-fields.ts";
import { summaryOf } from "../../api/note-summary.ts";

export function withDraft(note: NoteSummary, draft: NoteFields | null): NoteSummary {
  if (!draft) return note;
  const { title, body, tags, pinned } = draft;
  const { preview } = summaryOf({ ...note, body, properties: draft.properties });
  return { ...note, title: title.trim() || note.title, tags, pinned, preview };
}
