/** What is told of one note, and who keeps its words. */

import type { Id, Note } from "../../api/types.ts";
import type { DraftStorage } from "../../offline/drafts.ts";

export type SaveState = "saved" | "waiting" | "saving" | "offline" | "conflict" | "refused";

export interface NoteEvents {
  saved(note: Note): void;
  /** The server has it in the trash. */
  trashed?(id: Id): void;
  /** It was to go there, or to come back, but someone had changed it since. */
  stayed?(note: Note): void;
  /** There is nothing more to be sent of it. */
  settled?(): void;
  /** Where unsaved words outlive the page. */
  drafts?: DraftStorage;
}
