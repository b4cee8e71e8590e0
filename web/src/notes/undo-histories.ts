/** The undo histories of the notes that were open last, so that undo survives going to another note and back. */

import type { Id } from "../api/types.ts";

const MAX_NOTES = 20;

/** `History` is the text field's own. */
export class UndoHistories<History = unknown> {
  /** The one that was kept last is the last. */
  #kept = new Map<Id, History>();

  keep(id: Id, history: History): void {
    this.#kept.delete(id);
    this.#kept.set(id, history);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= MAX_NOTES) return;
      this.#kept.delete(oldest);
    }
  }

  of(id: Id): History | undefined {
    return this.#kept.get(id);
  }

  /** For a note that is deleted for good. */
  forget(id: Id): void {
    this.#kept.delete(id);
  }
}
