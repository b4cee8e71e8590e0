/** The note in the editor, and the closed ones that have unsaved changes or a request in flight. */

import { SvelteSet } from "svelte/reactivity";

import type { Id, Note } from "../api/types.ts";
import type { OpenNote } from "./sync/open-note.svelte.ts";

export class OpenNotes {
  current = $state.raw<OpenNote | null>(null);
  #background = new SvelteSet<OpenNote>();
  #stuck: (note: OpenNote) => void;

  /** `stuck` is called when a note in the background cannot be saved without a decision of the person. */
  constructor(stuck: (note: OpenNote) => void) {
    this.#stuck = stuck;
  }

  /** The current note, and those that are saved in the background. */
  get all(): OpenNote[] {
    const { current } = this;
    return [...new Set(current ? [current, ...this.#background] : this.#background)];
  }

  /** Notes with a pending move into the trash. */
  get going(): Id[] {
    return this.all.flatMap(({ id, going }) => (id && going ? [id] : []));
  }

  /** Notes with changes that are not on the server: it is unreachable, or the person has to decide about them. */
  get waiting(): OpenNote[] {
    const waiting = this.all.filter(({ held }) => held);
    return waiting.sort((a, b) => a.title.localeCompare(b.title));
  }

  /** This tab changed a note without the editor. An open view of it takes over the new version. */
  wrote(note: Note): void {
    for (const open of this.all) if (open.id === note.id) open.arrived(note);
  }

  /** The note's write in flight, if any. A new note has no id yet, so its write may concern any note. */
  writing(id: Id): Promise<unknown> | null {
    const open = this.all.find((note) => note.request && (note.isNew || note.id === id));
    return open?.request ?? null;
  }

  /** There are changes that are stored nowhere, not even as a draft in this browser. */
  get hasUnstored(): boolean {
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

  /** Makes it the current note. */
  setCurrent(note: OpenNote): void {
    this.#background.delete(note);
    this.current = note;
  }

  /** The current note is about to be replaced: its unsaved changes are saved in the background. */
  leave(): void {
    if (this.current?.dirty) this.saveInBackground(this.current);
  }

  /** Discards the note's unsaved changes. */
  discard(id: Id): void {
    for (const note of this.all) {
      if (note.id !== id) continue;
      note.discard();
      this.#background.delete(note);
    }
  }

  saveInBackground(note: OpenNote): void {
    this.#background.add(note);
    void note.flush().finally(() => {
      if (!this.#background.has(note)) return;
      if (["conflict", "refused"].includes(note.state)) this.#stuck(note);
      if (!note.dirty) this.#background.delete(note);
    });
  }

  /** Saves again what the quota rejected: there may be room in the account now. */
  retryFull(): void {
    for (const note of this.all) if (note.full) void note.flush();
  }

  /** The note has nothing left to send. A rejected one is kept: the person has not seen the reason yet. */
  settled(note: OpenNote): void {
    if (!note.dirty && note.state !== "refused") this.#background.delete(note);
  }
}
