/** A note and the server: what is typed gets there, and what others write comes here, whatever is lost on the way. */

import { explain, isPassing, Problem, Unreachable } from "../api/http.ts";
import { newId } from "../api/ids.ts";
import type { Id, Note } from "../api/types.ts";
import type { DraftKeeper } from "../offline/drafts.ts";
import { Keeping } from "../offline/keeping.svelte.ts";
import type { Draft, SentWrite } from "../offline/store.ts";
import { fieldsOf, titleFrom } from "./fields.ts";
import { Outbox, type Done } from "./outbox.svelte.ts";
import { Saving } from "./saving.ts";
import { Versions } from "./versions.svelte.ts";

export type SaveState = "saved" | "waiting" | "saving" | "offline" | "conflict" | "refused";

export interface NoteEvents {
  saved(note: Note): void;
  /** The server has it in the trash. */
  trashed?(id: Id): void;
  /** It was to go there, but someone had changed it since. */
  stayed?(note: Note): void;
  /** Where unsaved words outlive the page. */
  drafts?: DraftKeeper;
}

export class SyncedNote extends Versions {
  state = $state<SaveState>("saved");
  error = $state<string | null>(null);
  readonly keeping: Keeping;
  readonly #key: string;
  protected readonly outbox = new Outbox();
  protected readonly saving: Saving;
  #events: NoteEvents;
  /** The newest version that came while an answer was awaited. */
  #later: Note | null = null;

  /** A `draft` is what another page, or another tab, left unsaved of it. */
  constructor(events: NoteEvents, note: Note | null = null, draft: Draft | null = null) {
    super();
    this.#events = events;
    this.#key = draft?.key ?? newId();
    this.keeping = new Keeping(events.drafts ?? null, () => {
      const { write, move } = this.outbox;
      return { key: this.#key, base: this.base, fields: fieldsOf(this), sent: write, move };
    });
    this.saving = new Saving({
      due: () => this.state !== "conflict" && this.dirty,
      send: (again) => this.#send(again),
      away: (error) => this.#away(error),
    });
    if (note) this.show(note);
    if (draft) this.#takeOver(draft);
  }

  get dirty(): boolean {
    return !this.saving.stopped && (!this.outbox.empty || this.typed);
  }

  /** On its way into the trash, and not known to be there yet. */
  get going(): boolean {
    return this.outbox.move?.to === "trash";
  }

  /** What is on its way to the server, until it is answered. */
  get request(): Promise<unknown> | null {
    return this.outbox.request;
  }

  /** Saves now what is not saved yet, and resolves when there is nothing left to do or it cannot be done. */
  flush(): Promise<void> {
    return this.saving.now();
  }

  close(): void {
    this.saving.stop();
  }

  /** Someone else's newer version. What is not saved yet is kept where the two do not touch. */
  arrived(note: Note): void {
    if (this.base && note.version <= this.base.version) return;
    // it may be our own write, whose answer was lost: that answer tells
    if (this.outbox.unanswered) return void (this.#later = newer(note, this.#later));
    this.#overtaken(note);
    if (this.dirty) return this.#rebase(note);
    this.landed += 1;
    this.show(note);
    this.state = "saved";
  }

  #takeOver({ base, fields, sent, move = null }: Draft): void {
    if (base) this.show(base);
    Object.assign(this, fields);
    this.outbox.write = sent;
    this.outbox.move = move;
    if (move) this.gone = move.to === "trash";
    this.state = this.dirty ? "waiting" : "saved";
    this.keeping.takenOver();
  }

  /** What is unsaved is kept, and the rest is as it should be. */
  protected stand(): void {
    this.state = this.dirty ? "waiting" : "saved";
    if (this.dirty) this.keeping.soon();
    else this.keeping.drop();
  }

  protected changed(): void {
    if (this.state === "conflict") return this.keeping.soon();
    this.stand();
    if (this.dirty) this.saving.soon();
  }

  async #send(again: boolean): Promise<boolean> {
    if (!again) this.state = "saving";
    try {
      const done = await this.outbox.next(this.base, () => this.nextWrite());
      if (!done) return this.#refuse("A note needs a title.");
      this.#accept(done);
      return true;
    } catch (error) {
      if (isPassing(error)) throw error;
      return this.#answered(error);
    }
  }

  /** The write that is still to be answered, or else the next one; null where there is none, or it cannot be made. */
  protected nextWrite(): SentWrite | null {
    const { changes, base, body, tags } = this;
    if (this.outbox.write) return this.outbox.write;
    if (!base) return this.outbox.writing({ title: changes.title || titleFrom(body), body, tags }, this.#key);
    if (!this.typed || changes.title === "") return null;
    return this.outbox.writing(changes);
  }

  #away(error: unknown): void {
    // a note that was never sent need not be: the first write's key stays the same
    if (!this.base && error instanceof Unreachable && error.offline) this.outbox.write = null;
    this.state = "offline";
    this.keeping.soon();
  }

  /** The server has done it; what was typed since then stays typed. */
  #accept(done: Done): void {
    this.error = null;
    if (done.did === "write") this.#written(done.note, done.write);
    else if (done.did === "trash") this.#later = null;
    else if (this.typed) this.#rebase(done.note);
    else this.show(done.note);
    // it may be on its way back into the trash by now
    if (done.did === "restore") this.gone = this.going;
    if (this.state !== "conflict") this.stand();
    if (done.did !== "trash") this.#events.saved(done.note);
    else if (this.id) this.#events.trashed?.(this.id);
    this.#catchUp();
  }

  #written(note: Note, { fields }: SentWrite): void {
    const created = this.base === null;
    this.base = note;
    this.id = note.id;
    // the server puts tags into their form
    if (fields.tags?.join("\n") === this.tags.join("\n")) this.tags = note.tags;
    if (created && !this.title.trim()) this.title = note.title;
  }

  /** The server did not take it. False where trying again does not help. */
  #answered(error: unknown): boolean {
    const code = error instanceof Problem ? error.code : "";
    if (code === "auth_required") return this.#refuse(explain(error));
    if (code === "version_conflict") {
      const current = (error as Problem).members["current"] as Note;
      this.outbox.write = null;
      this.#overtaken(current);
      this.#rebase(current);
      this.#catchUp();
      return true;
    }
    const back = this.outbox.move?.to === "list";
    const refused = this.outbox.refused();
    this.gone = code === "not_found" || refused === "restore";
    if (code !== "not_found") return this.#refuse(explain(error));
    if (refused === "write") return this.#refuse("This note was deleted.");
    if (refused === "restore" || back) return this.#refuse("This note was deleted for good.");
    this.stand();
    return true;
  }

  /** A newer version than the one that was to go into the trash: it stays, and the person is told. */
  #overtaken(by: Note): void {
    if (this.outbox.move?.to === "list" && by.deleted_at) return;
    const { going } = this;
    this.outbox.move = null;
    this.gone = Boolean(by.deleted_at);
    if (going && !this.gone) this.#events.stayed?.(by);
  }

  #catchUp(): void {
    const later = this.#later;
    this.#later = null;
    if (later) this.arrived(later);
  }

  /** Puts what is typed on top of a newer version, or asks the person where both changed the same place. */
  #rebase(theirs: Note): void {
    if (this.rebase(theirs)) {
      this.stand();
      if (this.dirty) this.saving.soon();
    } else {
      this.state = "conflict";
      this.keeping.soon();
    }
  }

  #refuse(reason: string): false {
    this.state = "refused";
    this.error = reason;
    if (this.dirty) this.keeping.soon();
    else this.keeping.drop();
    return false;
  }
}

const newer = (note: Note, than: Note | null) => (than && than.version > note.version ? than : note);
