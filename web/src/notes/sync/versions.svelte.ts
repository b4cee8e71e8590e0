/** A note as it is typed here, the version that this began from, and another one where the two do not fit together. */

import type { NoteFields } from "../../api/note-fields.ts";
import type { Id, Note } from "../../api/types.ts";
import { changesOf, fieldsOf, rebased } from "./fields.ts";

export class Versions {
  /** Null until the first save of a new note. */
  id = $state<Id | null>(null);
  title = $state("");
  body = $state("");
  tags = $state.raw<string[]>([]);
  pinned = $state(false);
  archived = $state(false);
  /** The note as the server has it, as far as this tab knows. */
  base = $state.raw<Note | null>(null);
  /** The other version, while a person has to choose. */
  theirs = $state.raw<Note | null>(null);
  /** In the trash, or on its way there. */
  gone = $state(false);
  /** Grows by one when someone else's change has landed here. */
  landed = $state(0);

  get isNew(): boolean {
    return this.id === null;
  }

  /** What is typed and not in `base`. */
  get changes(): Partial<NoteFields> {
    return changesOf(this.base, fieldsOf(this));
  }

  get typed(): boolean {
    return Object.keys(this.changes).length > 0;
  }

  protected show(note: Note): void {
    this.base = note;
    this.id = note.id;
    Object.assign(this, fieldsOf(note));
    this.gone = Boolean(note.deleted_at);
  }

  /** Puts what is typed on top of a newer version. False where both changed the same place: a person has to choose. */
  protected rebase(newer: Note): boolean {
    const fields = this.base && rebased(this.base, fieldsOf(this), newer);
    if (!fields) {
      this.theirs = newer;
      return false;
    }
    Object.assign(this, fields);
    this.base = newer;
    this.theirs = null;
    this.landed += 1;
    return true;
  }
}
