/** One note in the editor: what is typed, what the server has, and how the two come together. */

import { notes as calls, type NoteFields } from "../api/calls.ts";
import { explain, isPassing, Problem } from "../api/http.ts";
import { newId } from "../api/ids.ts";
import type { Id, Note } from "../api/types.ts";
import { backoff, patience } from "../live/backoff.ts";
import type { DraftKeeper } from "../offline/drafts.ts";
import { Keeping } from "../offline/keeping.svelte.ts";
import type { Draft, SentWrite } from "../offline/store.ts";
import { besideText, changesOf, fieldsOf, rebased, titleFrom } from "./fields.ts";

const PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 3_000;
/** What browsers let a request that outlives its page carry, less its headers. */
const KEEPALIVE_CHARACTERS = 20_000;

export type SaveState = "saved" | "waiting" | "saving" | "offline" | "conflict" | "refused";

export interface OpenNoteEvents {
  saved(note: Note): void;
  /** Where unsaved words outlive the page. */
  drafts?: DraftKeeper;
}

export class OpenNote {
  /** Null until the first save of a new note. */
  id = $state<Id | null>(null);
  title = $state("");
  body = $state("");
  tags = $state.raw<string[]>([]);
  pinned = $state(false);
  archived = $state(false);
  /** The note as the server has it, as far as this tab knows. */
  base = $state.raw<Note | null>(null);
  state = $state<SaveState>("saved");
  /** The other version, while a person has to choose. */
  theirs = $state.raw<Note | null>(null);
  error = $state<string | null>(null);
  /** Grows by one when someone else's change has landed here. */
  landed = $state(0);
  gone = $state(false);
  /** The write on its way, until it is answered. */
  request: Promise<Note> | null = null;
  readonly keeping: Keeping;
  readonly #key: string;
  #events: OpenNoteEvents;
  /** A write whose answer has not come: until it is known what became of it, nothing else is written. */
  #sent: SentWrite | null = null;
  /** The newest version that came meanwhile. */
  #later: Note | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #waitingSince = 0;
  #saving: Promise<void> | null = null;
  #closed = new AbortController();

  /** A `draft` is what another page, or another tab, left unsaved of it. */
  constructor(events: OpenNoteEvents, note: Note | null = null, draft: Draft | null = null) {
    this.#events = events;
    this.#key = draft?.key ?? newId();
    this.keeping = new Keeping(events.drafts ?? null, () => ({
      key: this.#key,
      base: this.base,
      fields: fieldsOf(this),
      sent: this.#sent,
    }));
    if (note) this.#show(note);
    if (draft) this.#takeOver(draft);
  }

  get dirty(): boolean {
    return this.#sent !== null || Object.keys(this.#changes()).length > 0;
  }

  get isNew(): boolean {
    return this.id === null;
  }

  /** Takes what was typed and saves it after a short pause. */
  edit(fields: Partial<NoteFields>): void {
    Object.assign(this, fields);
    this.#keep();
    if (this.state === "conflict") return;
    this.state = this.dirty ? "waiting" : "saved";
    this.error = null;
    this.#schedule();
  }

  /** Saves now what is not saved yet, and resolves when there is nothing left to do or it cannot be done. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#saving ??= this.#save().finally(() => (this.#saving = null));
    await this.#saving;
  }

  /** A last attempt while the page goes away. What does not come through is sent again, as the same write. */
  flushOnLeave(): void {
    if (this.state === "conflict" || !this.dirty) return;
    const write = this.#write();
    this.keeping.now();
    if (!write || JSON.stringify(write.fields).length > KEEPALIVE_CHARACTERS) return;
    void this.#request(write, true).catch(() => undefined);
  }

  close(): void {
    this.#closed.abort();
    clearTimeout(this.#timer);
  }

  /** What is unsaved is let go. */
  discard(): void {
    this.close();
    this.keeping.drop();
  }

  /** Someone else's newer version. What is not saved yet is kept where the two do not touch. */
  arrived(note: Note): void {
    if (this.base && note.version <= this.base.version) return;
    this.gone = false;
    // it may be our own write, whose answer was lost: that answer tells
    if (this.#sent) return void (this.#later = newer(note, this.#later));
    if (!this.dirty) {
      this.landed += 1;
      return this.#show(note);
    }
    this.#rebase(note);
  }

  /** The conflict's end: our text on top of their version. */
  async keepMine(): Promise<void> {
    if (!this.theirs) return;
    this.base = this.theirs;
    this.#resolved();
    await this.flush();
  }

  /** The conflict's end: a text made of both. */
  async keepMerged(fields: Pick<NoteFields, "title" | "body">): Promise<void> {
    if (!this.base || !this.theirs) return;
    Object.assign(this, besideText(this.base, fieldsOf(this), this.theirs), fields);
    this.base = this.theirs;
    this.#resolved();
    await this.flush();
  }

  /** The conflict's end: their version, ours is let go. */
  takeTheirs(): void {
    if (!this.theirs) return;
    const theirs = this.theirs;
    this.#resolved();
    this.#show(theirs);
    this.#keep();
  }

  #resolved(): void {
    this.theirs = null;
    this.state = this.dirty ? "waiting" : "saved";
    this.#keep();
  }

  #show(note: Note): void {
    this.base = note;
    this.id = note.id;
    Object.assign(this, fieldsOf(note));
    this.gone = Boolean(note.deleted_at);
    this.state = "saved";
  }

  #takeOver({ base, fields, sent }: Draft): void {
    if (base) this.#show(base);
    Object.assign(this, fields);
    this.#sent = sent;
    this.state = this.dirty ? "waiting" : "saved";
    this.keeping.takenOver();
  }

  #changes(): Partial<NoteFields> {
    return changesOf(this.base, fieldsOf(this));
  }

  #keep(): void {
    if (this.dirty) this.keeping.soon();
    else this.keeping.drop();
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.state !== "waiting") return;
    this.#waitingSince ||= Date.now();
    const left = this.#waitingSince + LONGEST_PAUSE_MS - Date.now();
    this.#timer = setTimeout(() => void this.flush(), Math.max(0, Math.min(PAUSE_MS, left)));
  }

  async #save(): Promise<void> {
    for (let failures = 0; this.state !== "conflict" && this.dirty && !this.#closed.signal.aborted;) {
      this.#waitingSince = 0;
      const write = this.#write();
      if (!write) return this.#refuse("A note needs a title.");
      try {
        this.state = failures === 0 ? "saving" : this.state;
        this.#accept(await this.#request(write), write);
        failures = 0;
      } catch (error) {
        if (!isPassing(error)) {
          if (!this.#answered(error)) return;
        } else {
          this.state = "offline";
          this.#keep();
          await patience(backoff(failures++), this.#closed.signal);
        }
      }
    }
    if (!this.dirty && this.state !== "conflict") this.state = "saved";
  }

  /** The write that is still to be answered, or else the next one; null where it cannot be made. */
  #write(): SentWrite | null {
    if (this.#sent) return this.#sent;
    const changes = this.#changes();
    if (!this.base) {
      const { body, tags } = this;
      return (this.#sent = {
        key: this.#key,
        fields: { title: changes.title || titleFrom(body), body, tags },
      });
    }
    if (changes.title === "") return null;
    return (this.#sent = { key: newId(), fields: changes });
  }

  async #request({ key, fields }: SentWrite, keepalive = false): Promise<Note> {
    const { title = "", body = "", tags = [] } = fields;
    this.request = this.base
      ? calls.update(this.base.id, this.base.version, fields, key, keepalive)
      : calls.create({ title, body, tags }, key, keepalive);
    try {
      return await this.request;
    } finally {
      this.request = null;
    }
  }

  /** The server has `sent`; what was typed since then stays typed. */
  #accept(note: Note, { fields }: SentWrite): void {
    const created = this.base === null;
    this.#sent = null;
    this.base = note;
    this.id = note.id;
    // the server puts tags into their form
    if (fields.tags?.join("\n") === this.tags.join("\n")) this.tags = note.tags;
    if (created && !this.title.trim()) this.title = note.title;
    this.error = null;
    this.state = this.dirty ? "waiting" : "saved";
    this.#keep();
    this.#events.saved(note);
    this.#catchUp();
  }

  /** The server did not take the write. False where trying again does not help. */
  #answered(error: unknown): boolean {
    const code = error instanceof Problem ? error.code : "";
    if (code !== "auth_required") this.#sent = null;
    if (code === "version_conflict") {
      this.#rebase((error as Problem).members["current"] as Note);
      this.#catchUp();
      return true;
    }
    if (code === "not_found") this.gone = true;
    this.#refuse(code === "not_found" ? "This note was deleted." : explain(error));
    return false;
  }

  #catchUp(): void {
    const later = this.#later;
    this.#later = null;
    if (later) this.arrived(later);
  }

  /** Puts what is typed on top of a newer version, or asks the person where both changed the same place. */
  #rebase(theirs: Note): void {
    if (!this.base) return;
    const fields = rebased(this.base, fieldsOf(this), theirs);
    if (!fields) {
      this.theirs = theirs;
      this.state = "conflict";
    } else {
      Object.assign(this, fields);
      this.base = theirs;
      this.theirs = null;
      this.landed += 1;
      this.state = this.dirty ? "waiting" : "saved";
      this.#schedule();
    }
    this.#keep();
  }

  #refuse(reason: string): void {
    this.state = "refused";
    this.error = reason;
    this.#keep();
  }
}

const newer = (note: Note, than: Note | null) => (than && than.version > note.version ? than : note);
