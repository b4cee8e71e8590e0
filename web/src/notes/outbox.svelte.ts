/** What one note has for the server, in its order, each under a key of its own until it is answered: so it is done once. */

import { notes as calls, type NoteFields } from "../api/calls.ts";
import { newId } from "../api/ids.ts";
import type { Note } from "../api/types.ts";
import type { Move, SentWrite } from "../offline/store.ts";

/** What the server did: wrote the note, brought it back from the trash, or put it there. */
export type Done =
  { did: "write"; note: Note; write: SentWrite } | { did: "restore"; note: Note } | { did: "trash" };

export class Outbox {
  /** A write whose answer has not come: until it is known what became of it, nothing else is written. */
  write: SentWrite | null = null;
  /** Back from the trash before anything is written, or into it after everything. */
  move = $state.raw<Move | null>(null);
  /** What was sent last. */
  #asked: Done["did"] = "write";
  /** On its way right now. */
  request: Promise<unknown> | null = null;

  get empty(): boolean {
    return this.write === null && this.move === null;
  }

  /** Something may have reached the server. */
  get unanswered(): boolean {
    return this.write !== null || this.move?.sent === true || this.request !== null;
  }

  moveTo(to: Move["to"]): void {
    this.move = { to, key: newId(), sent: false };
  }

  /** The same write as before until it is answered; else one of `fields`, under `key` where that is given. */
  writing(fields: Partial<NoteFields>, key: string = newId()): SentWrite {
    return (this.write ??= { key, fields });
  }

  /** Sends what is next. `write` makes a write of what is typed; null where nothing is. */
  async next(base: Note | null, write: () => SentWrite | null): Promise<Done | null> {
    if (base && this.move?.to === "list") {
      const { key } = this.move;
      const note = await this.#ask(calls.restore(base.id, this.#moving("restore", this.move)));
      this.#moved(key);
      return { did: "restore", note };
    }
    const sent = write();
    if (sent) {
      this.#asked = "write";
      const note = await this.send(base, sent);
      this.write = null;
      return { did: "write", note, write: sent };
    }
    if (!base || !this.move) return null;
    const { key } = this.move;
    await this.#ask(calls.remove(base.id, base.version, this.#moving("trash", this.move)));
    this.#moved(key);
    return { did: "trash" };
  }

  /** The server refused what was sent. A note that could not be written is not thrown away either. */
  refused(): Done["did"] {
    this.move = null;
    if (this.#asked === "write") this.write = null;
    return this.#asked;
  }

  send(base: Note | null, { key, fields }: SentWrite, keepalive = false): Promise<Note> {
    const { title = "", body = "", tags = [] } = fields;
    return this.#ask(
      base
        ? calls.update(base.id, base.version, fields, key, keepalive)
        : calls.create({ title, body, tags }, key, keepalive),
    );
  }

  #moving(asked: Done["did"], move: Move): string {
    this.#asked = asked;
    this.move = { ...move, sent: true };
    return move.key;
  }

  /** What the person has asked for meanwhile is still to be done. */
  #moved(key: string): void {
    if (this.move?.key === key) this.move = null;
  }

  async #ask<T>(request: Promise<T>): Promise<T> {
    this.request = request;
    try {
      return await request;
    } finally {
      this.request = null;
    }
  }
}
