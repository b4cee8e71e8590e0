/** The notes at hand: the open one, and those that were left while something of them was on its way. */

import { SvelteSet } from "svelte/reactivity";

import type { Id, Note } from "../api/types.ts";
import type { OpenNote } from "./sync/open-note.svelte.ts";

export class OpenNotes {
  current = $state.raw<OpenNote | null>(null);
  #behind = new SvelteSet<OpenNote>();
  #stuck: (note: OpenNote) => void;

  /** `stuck`: what was left cannot be sent without the person. */
  constructor(stuck: (note: OpenNote) => void) {
    this.#stuck = stuck;
  }

  /** The open one, and those that are sent behind it. */
  get all(): OpenNote[] {
    const { current } = this;
    return [...new Set(current ? [current, ...this.#behind] : this.#behind)];
  }

  /** Notes on their way into the trash. */
  get going(): Id[] {
    return this.all.flatMap(({ id, going }) => (id && going ? [id] : []));
  }

  /** What the server does not have yet: it is away, or the person has to say what becomes of it. */
  get waiting(): OpenNote[] {
    const waiting = this.all.filter(({ held }) => held);
    return waiting.sort((a, b) => a.title.localeCompare(b.title));
  }

  /** This tab wrote a note, but not by what is typed into it. */
  wrote(note: Note): void {
    for (const open of this.all) if (open.id === note.id) open.arrived(note);
  }

  /** The write of the note that is on its way; a new note's may be any note's. */
  writing(id: Id): Promise<unknown> | null {
    const open = this.all.find((note) => note.request && (note.isNew || note.id === id));
    return open?.request ?? null;
  }

  /** Something was written that is saved nowhere, not even in this browser. */
  get unkept(): boolean {
    return this.all.some(
      (note) => note.dirty && !note.autosave.saved && note.state !== "waiting" && note.state !== "saving",
    );
  }

  /** Saves everything that can be saved. */
  async flush(): Promise<void> {
    await Promise.all(this.all.map((note) => note.flush()));
  }

  flushOnLeave(): void {
    for (const note of this.all) note.flushOnLeave();
  }

  stop(): void {
    for (const note of this.all) note.close();
  }

  find(id: Id): OpenNote | undefined {
    return this.all.find((note) => note.id === id);
  }

  /** Makes it the open one. */
  take(note: OpenNote): void {
    this.#behind.delete(note);
    this.current = note;
  }

  /** What the open one still has to say is said behind the next. */
  leave(): void {
    if (this.current?.dirty) this.sendBehind(this.current);
  }

  /** What is unsaved of a note that is not wanted any more is let go. */
  discard(id: Id): void {
    for (const note of this.all) {
      if (note.id !== id) continue;
      note.discard();
      this.#behind.delete(note);
    }
  }

  sendBehind(note: OpenNote): void {
    this.#behind.add(note);
    void note.flush().finally(() => {
      if (!this.#behind.has(note)) return;
      if (["conflict", "refused"].includes(note.state)) this.#stuck(note);
      if (!note.dirty) this.#behind.delete(note);
    });
  }

  /** There may be room in the account again. */
  retryFull(): void {
    for (const note of this.all) if (note.full) void note.flush();
  }

  /** It has nothing more to say, whenever that is; what was refused the person has still to hear. */
  settled(note: OpenNote): void {
    if (!note.dirty && note.state !== "refused") this.#behind.delete(note);
  }
}
