/** A note and what it has for the server: its next write, and where it lies and is to lie. */

import { newId } from "../../lib/ids.ts";
import type { Note } from "../../api/types.ts";
import type { Move, SentWrite } from "../../offline/store.ts";
import { changesOf, fieldsOf, titleFrom } from "./fields.ts";
import { Outbox } from "./outbox.svelte.ts";
import { Versions } from "./versions.svelte.ts";

export class OutgoingNote extends Versions {
  /** The account has no room for it. */
  full = $state(false);
  /** Of this stretch of writing; a new note is made under it. */
  protected key = newId();
  protected readonly outbox = new Outbox();

  /** On its way into the trash, and not known to be there yet. */
  get going(): boolean {
    return this.outbox.to === "trash";
  }

  /** Someone put it into the trash. False where they did more than that: then it is to be read. */
  deletedElsewhere(version: number): boolean {
    const known = this.base?.version ?? 0;
    if (version <= known) return true;
    this.gone = this.outbox.to !== "list";
    // what is on its way meets it there
    if (this.outbox.unanswered) return true;
    if (version > known + 1) return false;
    this.intoTrash();
    return true;
  }

  /** The write that is still to be answered, or else the next one; null where there is none, or it cannot be made. */
  protected nextWrite(): SentWrite | null {
    const { changes, base, body, tags } = this;
    if (this.outbox.write) return this.outbox.write;
    if (!base) return this.outbox.writing({ title: changes.title || titleFrom(body), body, tags }, this.key);
    if (this.full && this.going) return null;
    if (!this.typed || changes.title === "") return null;
    return this.outbox.writing(changes);
  }

  /** What was typed since then stays typed. */
  protected written(note: Note, { fields }: SentWrite): void {
    const created = this.base === null;
    this.base = note;
    this.id = note.id;
    // the server puts tags into their form
    if (fields.tags?.join("\n") === this.tags.join("\n")) this.tags = note.tags;
    if (created && !this.title.trim()) this.title = note.title;
  }

  protected moveTo(to: Move["to"]): void {
    this.outbox.moveTo(to, this.base?.deleted_at ? "trash" : "list", this.typed);
    this.gone = to === "trash";
  }

  /** The server has it there now, as the version after the one that we know. */
  protected intoTrash(): void {
    const { base } = this;
    if (base && !base.deleted_at)
      this.base = { ...base, version: base.version + 1, deleted_at: new Date().toISOString() };
    this.lies(true);
  }

  /** Where the server has it; the person may have said otherwise by now. */
  protected lies(inTrash: boolean): void {
    this.gone = this.outbox.to ? this.going : inTrash;
  }

  /** Someone was quicker. Where the note is not where the person wants it, it stays there: true. */
  protected overtaken(by: Note): boolean {
    const { to } = this.outbox;
    // only its place or its version is another: the person has seen what they want back
    if (to === "list" && by.deleted_at && this.base && isSame(this.base, by)) return false;
    this.outbox.stay();
    this.gone = Boolean(by.deleted_at);
    return to !== null && this.gone !== (to === "trash");
  }
}

const isSame = (one: Note, other: Note) => Object.keys(changesOf(one, fieldsOf(other))).length === 0;
