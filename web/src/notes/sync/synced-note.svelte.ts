/** A note and the server: what is typed gets there, and what others write comes here, whatever is lost on the way. */

import { explain, isPassing, Problem, Unreachable } from "../../api/http.ts";
import type { Note } from "../../api/types.ts";
import { DraftAutosave } from "../../offline/draft-autosave.svelte.ts";
import type { Draft, Held } from "../../offline/store.ts";
import { fieldsOf } from "./fields.ts";
import type { NoteEvents, SaveState } from "./note-events.ts";
import type { Done } from "./outbox.svelte.ts";
import { OutgoingNote } from "./outgoing-note.svelte.ts";
import { SaveScheduler } from "./save-scheduler.ts";

/** A full account is asked again so often whether there is room by now. */
const ROOM_MS = 60_000;

export class SyncedNote extends OutgoingNote {
  state = $state<SaveState>("saved");
  error = $state<string | null>(null);
  readonly autosave: DraftAutosave;
  protected readonly scheduler: SaveScheduler;
  #events: NoteEvents;
  /** The newest version that came while an answer was awaited. */
  #later: Note | null = null;
  /** The server did not answer the last time. */
  #unheard = $state(false);

  /** A `draft` is what another page, or another tab, left unsaved of it. */
  constructor(events: NoteEvents, note: Note | null = null, draft: Draft | null = null) {
    super();
    this.#events = events;
    if (draft) this.key = draft.key;
    this.autosave = new DraftAutosave(events.drafts ?? null, () => {
      const { base, held } = this;
      return { key: this.key, base, fields: fieldsOf(this), held, ...this.outbox.kept };
    });
    this.scheduler = new SaveScheduler({
      due: () => this.state !== "conflict" && this.dirty,
      send: (again) => this.#send(again),
      away: (error) => this.#away(error),
    });
    if (note) this.show(note);
    if (draft) this.#takeOver(draft);
  }

  get dirty(): boolean {
    return !this.scheduler.stopped && (!this.outbox.empty || this.typed);
  }

  /** Why the server does not have it as it is here; null where it has, or will in a moment. */
  get held(): Held | null {
    if (this.state === "conflict" || this.state === "refused") return this.state;
    if (!this.dirty) return null;
    if (this.full && !this.going) return "refused";
    return this.#unheard ? "offline" : null;
  }

  /** What is on its way to the server, until it is answered. */
  get request(): Promise<unknown> | null {
    return this.outbox.request;
  }

  /** Saves now what is not saved yet, and resolves when there is nothing left to do or it cannot be done. */
  flush(): Promise<void> {
    return this.scheduler.run();
  }

  close(): void {
    this.scheduler.stop();
  }

  /** Someone else's newer version. What is not saved yet is kept where the two do not touch. */
  arrived(note: Note): void {
    if (this.base && note.version <= this.base.version) return;
    // it may be our own write, whose answer was lost: that answer tells
    if (this.outbox.unanswered) return void (this.#later = newer(note, this.#later));
    if (this.overtaken(note)) this.#events.stayed?.(note);
    if (this.dirty) return this.#rebase(note);
    this.landed += 1;
    this.show(note);
    this.state = "saved";
  }

  #takeOver(draft: Draft): void {
    if (draft.base) this.show(draft.base);
    Object.assign(this, draft.fields);
    this.outbox.takeOver(draft);
    if (this.outbox.to) this.gone = this.going;
    this.state = this.dirty ? "waiting" : "saved";
    this.autosave.takenOver();
  }

  /** What is unsaved is kept, and the rest is as it should be. */
  protected stand(): void {
    this.state = this.dirty ? "waiting" : "saved";
    // the words that there was no room for are gone
    if (this.full && !this.dirty) [this.full, this.error] = [false, null];
    this.#keep();
  }

  #keep(): void {
    if (this.dirty) return this.autosave.schedule();
    this.autosave.drop();
    this.#events.settled?.();
  }

  protected changed(): void {
    if (this.state === "conflict") return this.autosave.schedule();
    this.stand();
    if (this.dirty) this.scheduler.schedule();
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

  #away(error: unknown): void {
    // a note that was never sent need not be: the first write's key stays the same
    if (!this.base && error instanceof Unreachable && error.offline) this.outbox.write = null;
    this.#unheard = true;
    this.state = "offline";
    this.autosave.schedule();
  }

  /** The server has done it; what was typed since then stays typed. */
  #accept(done: Done): void {
    this.error = null;
    this.#unheard = this.full = false;
    if (done.did === "write") this.written(done.note, done.write);
    else if (done.did === "trash") this.intoTrash();
    else if (this.typed) this.#rebase(done.note);
    else this.show(done.note);
    if (done.did === "restore") this.lies(false);
    if (this.state !== "conflict") this.stand();
    if (done.did !== "trash") this.#events.saved(done.note);
    else if (this.id) this.#events.trashed?.(this.id);
    this.#catchUp();
  }

  /** The server did not take it. False where trying again does not help. */
  #answered(error: unknown): boolean {
    const code = error instanceof Problem ? error.code : "";
    this.#unheard = false;
    this.full = code === "quota_exceeded";
    if (this.full) this.scheduler.scheduleIn(ROOM_MS);
    if (code === "auth_required") return this.#refuse(explain(error));
    if (code === "version_conflict") {
      const current = (error as Problem).members["current"] as Note;
      this.outbox.write = null;
      if (this.overtaken(current)) this.#events.stayed?.(current);
      this.#rebase(current);
      this.#catchUp();
      return true;
    }
    // it goes without the words that there is no room for
    if (this.full && this.going && this.base) return ((this.outbox.write = null), true);
    const back = this.outbox.to === "list";
    const refused = this.outbox.refused();
    this.gone = code === "not_found" || refused === "restore";
    if (code !== "not_found") return this.#refuse(explain(error));
    if (refused === "write") return this.#refuse("This note was deleted.");
    if (refused === "restore" || back) return this.#refuse("This note was deleted for good.");
    this.stand();
    return true;
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
      if (this.dirty) this.scheduler.schedule();
    } else {
      this.state = "conflict";
      this.autosave.schedule();
    }
  }

  #refuse(reason: string): false {
    this.state = "refused";
    this.error = reason;
    this.#keep();
    return false;
  }
}

const newer = (note: Note, than: Note | null) => (than && than.version > note.version ? than : note);
