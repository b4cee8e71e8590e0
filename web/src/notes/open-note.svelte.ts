/** One note in the editor: what is typed, what the server has, and how the two come together. */

import { notes as calls, type NoteFields } from "../api/calls.ts";
import { explain, isPassing, Problem } from "../api/http.ts";
import type { Id, Note } from "../api/types.ts";
import { backoff, patience } from "../live/backoff.ts";
import { merged } from "./merge.ts";

const PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 3_000;
/** What browsers let a request that outlives its page carry, less its headers. */
const KEEPALIVE_CHARACTERS = 20_000;

export type SaveState = "saved" | "waiting" | "saving" | "offline" | "conflict" | "refused";

export interface OpenNoteEvents {
  saved(note: Note): void;
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
  #key = crypto.randomUUID();
  #events: OpenNoteEvents;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #waitingSince = 0;
  #saving: Promise<void> | null = null;
  #closed = new AbortController();

  constructor(events: OpenNoteEvents, note: Note | null = null) {
    this.#events = events;
    if (note) this.#show(note);
  }

  get dirty(): boolean {
    return Object.keys(this.#changes()).length > 0;
  }

  get isNew(): boolean {
    return this.id === null;
  }

  /** Takes what was typed and saves it after a short pause. */
  edit(fields: Partial<NoteFields>): void {
    Object.assign(this, fields);
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

  /** A last attempt while the page goes away. */
  flushOnLeave(): void {
    const changes = this.#changes();
    if (!this.base || this.state === "conflict" || Object.keys(changes).length === 0) return;
    if (JSON.stringify(changes).length > KEEPALIVE_CHARACTERS) return;
    void calls.update(this.base.id, this.base.version, changes, true).catch(() => undefined);
  }

  close(): void {
    this.#closed.abort();
    clearTimeout(this.#timer);
  }

  /** Someone else's newer version. What is not saved yet is kept where the two do not touch. */
  arrived(note: Note): void {
    if (this.base && note.version <= this.base.version) return;
    this.gone = false;
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
    this.#join(this.base, this.theirs);
    Object.assign(this, fields);
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
  }

  #resolved(): void {
    this.theirs = null;
    this.state = this.dirty ? "waiting" : "saved";
  }

  #show(note: Note): void {
    this.base = note;
    this.id = note.id;
    this.title = note.title;
    this.body = note.body;
    this.tags = note.tags;
    this.pinned = note.pinned;
    this.archived = note.archived;
    this.gone = Boolean(note.deleted_at);
    this.state = "saved";
  }

  #changes(): Partial<NoteFields> {
    const base = this.base ?? { title: "", body: "", tags: [], pinned: false, archived: false };
    const changes: Partial<NoteFields> = {};
    if (this.title.trim() !== base.title) changes.title = this.title.trim();
    if (this.body !== base.body) changes.body = this.body;
    if (this.tags.join("\n") !== base.tags.join("\n")) changes.tags = this.tags;
    if (this.pinned !== base.pinned) changes.pinned = this.pinned;
    if (this.archived !== base.archived) changes.archived = this.archived;
    return changes;
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
      const changes = this.#changes();
      if (this.base && changes.title === "") return this.#refuse("A note needs a title.");
      try {
        this.state = "saving";
        const note = await this.#send(changes);
        this.#accept(note, changes);
        failures = 0;
      } catch (error) {
        if (error instanceof Problem && error.code === "version_conflict")
          this.#rebase(error.members["current"] as Note);
        else if (error instanceof Problem && error.code === "not_found") return this.#lost();
        else if (!isPassing(error)) return this.#refuse(explain(error));
        else {
          this.state = "offline";
          await patience(backoff(failures++), this.#closed.signal);
        }
      }
    }
    if (!this.dirty && this.state !== "conflict") this.state = "saved";
  }

  async #send(changes: Partial<NoteFields>): Promise<Note> {
    const fields = { title: changes.title || titleFrom(this.body), body: this.body, tags: this.tags };
    this.request = this.base
      ? calls.update(this.base.id, this.base.version, changes)
      : calls.create(fields, this.#key);
    try {
      return await this.request;
    } finally {
      this.request = null;
    }
  }

  /** The server has `sent`; what was typed since then stays typed. */
  #accept(note: Note, sent: Partial<NoteFields>): void {
    const created = this.base === null;
    this.base = note;
    this.id = note.id;
    if (this.tags === sent.tags) this.tags = note.tags;
    if (created && !this.title.trim()) this.title = note.title;
    this.error = null;
    this.state = this.dirty ? "waiting" : "saved";
    this.#events.saved(note);
  }

  /** Puts what is typed on top of a newer version, or asks the person where both changed the same place. */
  #rebase(theirs: Note): void {
    const base = this.base;
    if (!base) return;
    const title = merged(base.title, this.title, theirs.title);
    const body = merged(base.body, this.body, theirs.body);
    if (title === null || body === null) {
      this.theirs = theirs;
      this.state = "conflict";
      return;
    }
    this.#join(base, theirs);
    this.title = title;
    this.body = body;
    this.base = theirs;
    this.theirs = null;
    this.landed += 1;
    this.state = this.dirty ? "waiting" : "saved";
    this.#schedule();
  }

  /** Takes over what only they changed beside the texts. */
  #join(base: Note, theirs: Note): void {
    const keep = <T>(before: T, mine: T, their: T) =>
      JSON.stringify(mine) === JSON.stringify(before) ? their : mine;
    this.tags = keep(base.tags, this.tags, theirs.tags);
    this.pinned = keep(base.pinned, this.pinned, theirs.pinned);
    this.archived = keep(base.archived, this.archived, theirs.archived);
  }

  #refuse(reason: string): void {
    this.state = "refused";
    this.error = reason;
  }

  #lost(): void {
    this.gone = true;
    this.#refuse("This note was deleted.");
  }
}

/** What a note without a title is called: its first line. */
function titleFrom(body: string): string {
  const line = body
    .split("\n")
    .map((text) => text.replace(/^[#>\-*\s]+/, "").trim())
    .find(Boolean);
  return line?.slice(0, 80) || "Untitled";
}
