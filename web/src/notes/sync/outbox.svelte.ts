/** What one note has for the server, in its order, each under a key of its own until it is answered: so it is done once. */

import { notes as calls } from "../../api/calls.ts";
import type { NoteFields } from "../../api/note-fields.ts";
import { newId } from "../../lib/ids.ts";
import type { Note } from "../../api/types.ts";
import type { Draft, Move, SentWrite } from "../../offline/store.ts";

/** What the server did: wrote the note, brought it back from the trash, or put it there. */
export type Done =
  { did: "write"; note: Note; write: SentWrite } | { did: "restore"; note: Note } | { did: "trash" };

export class Outbox {
  /** A write whose answer has not come: until it is known what became of it, nothing else is written. */
  write: SentWrite | null = null;
  /** Into the trash and out of it, by turns. The last is the person's word; the others may have reached the server. */
  #moves = $state.raw<Move[]>([]);
  /** What was sent last. */
  #asked: Done["did"] = "write";
  /** On its way right now. */
  request: Promise<unknown> | null = null;

  get empty(): boolean {
    return this.write === null && this.#moves.length === 0;
  }

  /** Something may have reached the server. */
  get unanswered(): boolean {
    return this.write !== null || this.#moves.some(({ sent }) => sent) || this.request !== null;
  }

  /** Where the note is to be in the end; null where it stays. */
  get to(): Move["to"] | null {
    return this.#moves.at(-1)?.to ?? null;
  }

  /** Before anything is written: words go into a note that is out of the trash, and after what was done before they were
   *  typed. With a write still to be answered, it has not been into the trash since. */
  get movesFirst(): boolean {
    const [first, second] = this.#moves;
    return first?.to === "list" || (second !== undefined && this.write === null);
  }

  /** As it outlives the page. */
  get kept(): Pick<Draft, "sent" | "move" | "earlier"> {
    return { sent: this.write, move: this.#moves.at(-1) ?? null, earlier: this.#moves.slice(0, -1) };
  }

  /** What another page left, which cannot tell any more how far it came: it is all asked once more. */
  takeOver({ sent, move, earlier = [] }: Draft): void {
    this.write = sent;
    this.#moves = [...earlier, ...(move ? [move] : [])].map((left) => ({ ...left, sent: true }));
  }

  /** The person's last word. `at`: where the note is. `typed`: words go in between, so that both ways have to be gone. */
  moveTo(to: Move["to"], at: Move["to"], typed: boolean): void {
    const last = this.#moves.at(-1);
    if (last?.to === to) return;
    const isTakenBack = last && !last.sent && !(typed && to === "trash");
    if (isTakenBack) this.#moves = this.#moves.slice(0, -1);
    if (isTakenBack && (this.to ?? at) === to) return;
    this.#moves = [...this.#moves, { to, key: newId(), sent: false }];
  }

  stay(): void {
    this.#moves = [];
  }

  /** The same write as before until it is answered; else one of `fields`, under `key` where that is given. */
  writing(fields: Partial<NoteFields>, key: string = newId()): SentWrite {
    return (this.write ??= { key, fields });
  }

  /** Sends what is next. `write` makes a write of what is typed; null where nothing is. */
  async next(base: Note | null, write: () => SentWrite | null): Promise<Done | null> {
    const [first] = this.#moves;
    if (base && first && this.movesFirst) return this.#move(base, first);
    const sent = write();
    if (sent) {
      this.#asked = "write";
      const note = await this.send(base, sent);
      this.write = null;
      return { did: "write", note, write: sent };
    }
    return base && first ? this.#move(base, first) : null;
  }

  /** The server refused what was sent. A note that could not be written is not thrown away either. */
  refused(): Done["did"] {
    this.stay();
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

  async #move({ id, version }: Note, { to, key }: Move): Promise<Done> {
    this.#asked = to === "list" ? "restore" : "trash";
    this.#moves = this.#moves.map((move) => (move.key === key ? { ...move, sent: true } : move));
    const call = to === "list" ? calls.restore : calls.remove;
    const note = await this.#ask<Note | void>(call(id, version, key));
    // what the person has asked for meanwhile is still to be done
    this.#moves = this.#moves.filter((move) => move.key !== key);
    return note ? { did: "restore", note } : { did: "trash" };
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
