/** One note in the editor: what a person does with it. */

import type { NoteFields } from "../../api/note-fields.ts";
import type { Note } from "../../api/types.ts";
import type { Move } from "../../offline/store.ts";
import { besideText, fieldsOf } from "./fields.ts";
import { SyncedNote } from "./synced-note.svelte.ts";

/** What browsers let a request that outlives its page carry, less its headers. */
const KEEPALIVE_CHARACTERS = 20_000;

export class OpenNote extends SyncedNote {
  /** Takes what was typed and saves it after a short pause. */
  edit(fields: Partial<NoteFields>): void {
    Object.assign(this, fields);
    if (this.state !== "conflict" && !this.full) this.error = null;
    this.changed();
  }

  /** A last attempt while the page goes away. What does not come through is sent again, as the same write. */
  flushOnLeave(): void {
    if (this.state === "conflict" || !this.dirty) return;
    const write = this.outbox.movesFirst ? null : this.nextWrite();
    this.autosave.saveNow();
    if (!write || JSON.stringify(write.fields).length > KEEPALIVE_CHARACTERS) return;
    void this.outbox.send(this.base, write, true).catch(() => undefined);
  }

  /** What is unsaved is let go. */
  discard(): void {
    this.close();
    this.autosave.drop();
  }

  /** Into the trash, after what was typed. False where nothing of it was ever sent: then it is just gone. */
  throwAway(): boolean {
    if (!this.base && !this.outbox.write) {
      this.discard();
      return false;
    }
    if (this.theirs) this.#settle(this.theirs);
    if (this.base && !this.title.trim()) this.title = this.base.title;
    this.#move("trash");
    return true;
  }

  /** Out of the trash; one that nobody was told to put there just stays. */
  bringBack(): void {
    this.error = null;
    this.#move("list");
  }

  #move(to: Move["to"]): void {
    this.moveTo(to);
    this.changed();
    if (this.dirty) this.autosave.saveNow(); // whoever deletes may leave at once
  }

  /** The conflict's end: our text on top of their version. */
  async keepMine(): Promise<void> {
    if (!this.theirs) return;
    this.#settle(this.theirs);
    await this.flush();
  }

  /** The conflict's end: a text made of both. */
  async keepMerged(fields: Pick<NoteFields, "title" | "body">): Promise<void> {
    if (!this.base || !this.theirs) return;
    Object.assign(this, besideText(this.base, fieldsOf(this), this.theirs), fields);
    this.#settle(this.theirs);
    await this.flush();
  }

  /** The conflict's end: their version, ours is let go. */
  takeTheirs(): void {
    if (!this.theirs) return;
    this.show(this.theirs);
    this.#settle(this.theirs);
  }

  #settle(theirs: Note): void {
    this.base = theirs;
    this.theirs = null;
    this.stand();
  }
}
