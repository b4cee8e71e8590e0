/** Which note is open, and the notes still being saved behind it. */

import { notes as calls } from "../api/calls.ts";
import { explain } from "../api/http.ts";
import type { Id, Note, NoteChange } from "../api/types.ts";
import { OpenNote } from "./open-note.svelte.ts";

export interface EditorEvents {
  saved(note: Note): void;
  /** The open note is another one, or none. */
  moved(id: Id | null): void;
}

export class Editor {
  current = $state.raw<OpenNote | null>(null);
  loading = $state<Id | null>(null);
  error = $state<string | null>(null);
  /** Notes left while their last words were on the way. */
  #leaving = new Set<OpenNote>();
  #events: EditorEvents;

  constructor(events: EditorEvents) {
    this.#events = events;
  }

  get openId(): Id | null {
    return this.current?.id ?? this.loading;
  }

  async open(id: Id): Promise<void> {
    if (this.current?.id === id && !this.loading) return;
    this.#leave();
    const left = [...this.#leaving].find((note) => note.id === id);
    if (left) return this.#enter(left);
    this.loading = id;
    this.error = null;
    this.#events.moved(id);
    try {
      const note = await calls.get(id);
      if (this.loading === id) this.#enter(this.#note(note));
    } catch (error) {
      if (this.loading !== id) return;
      this.loading = null;
      this.current = null;
      this.error = explain(error);
    }
  }

  startNew(): void {
    this.#leave();
    this.#enter(this.#note(null));
  }

  /** A new note with something in it, saved at once. */
  async write(title: string, body: string): Promise<void> {
    this.startNew();
    this.current?.edit({ title, body });
    await this.current?.flush();
  }

  close(): void {
    this.#leave();
    this.current = null;
    this.loading = null;
    this.error = null;
    this.#events.moved(null);
  }

  /** Someone else changed a note: if it is open here, its new text is fetched. */
  async changed(change: NoteChange): Promise<void> {
    const open = [this.current, ...this.#leaving].find((note) => note?.id === change.id);
    if (!open) return;
    if (change.op === "delete") {
      open.gone = true;
      return;
    }
    if ((open.base?.version ?? 0) < change.version) await this.refresh(open);
    else if (change.op === "restore") open.gone = false;
  }

  /** The write of the note that is on its way; a new note's may be any note's. */
  writing(id: Id): Promise<unknown> | null {
    const open = [this.current, ...this.#leaving].find(
      (note) => note?.request && (note.isNew || note.id === id),
    );
    return open?.request ?? null;
  }

  async refresh(open: OpenNote | null = this.current): Promise<void> {
    if (!open?.id) return;
    try {
      open.arrived(await calls.get(open.id));
    } catch {
      // the next change or the next save tells
    }
  }

  /** Something was written that cannot be saved right now. */
  get stuck(): boolean {
    return [this.current, ...this.#leaving].some(
      (note) => note?.dirty && note.state !== "waiting" && note.state !== "saving",
    );
  }

  flushOnLeave(): void {
    for (const note of [this.current, ...this.#leaving]) note?.flushOnLeave();
  }

  stop(): void {
    for (const note of [this.current, ...this.#leaving]) note?.close();
  }

  #note(note: Note | null): OpenNote {
    const open = new OpenNote(
      {
        saved: (saved) => {
          this.#events.saved(saved);
          if (this.current === open) this.#events.moved(saved.id);
        },
      },
      note,
    );
    return open;
  }

  #enter(note: OpenNote): void {
    this.loading = null;
    this.error = null;
    this.#leaving.delete(note);
    this.current = note;
    this.#events.moved(note.id);
  }

  #leave(): void {
    const note = this.current;
    if (!note?.dirty) return;
    this.#leaving.add(note);
    void note.flush().finally(() => {
      if (!note.dirty) this.#leaving.delete(note);
    });
  }
}
