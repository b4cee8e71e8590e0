/** The events of an open note, and where its drafts are stored. */

import type { Id, Note } from "../../api/types.ts";
import type { DraftStorage } from "../../offline/drafts.ts";

export interface NoteListener {
  saved(note: Note): void;
  /** The server has it in the trash. */
  trashed?(id: Id): void;
  /** A move into or out of the trash was dropped, because someone else had changed the note since. */
  stayed?(note: Note): void;
  /** There is nothing more to send. */
  settled?(): void;
  /** Where unsaved text outlives the page; without it, nothing is stored. */
  drafts?: DraftStorage;
}
