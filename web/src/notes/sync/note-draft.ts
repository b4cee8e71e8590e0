/**
 * What a person has typed into a note, the version that they typed it against, and the requests that the server has not
 * answered yet. Drafts are immutable: each function returns a new one.
 *
 * A request keeps its idempotency key until it is answered, in this draft and in the stored one. So the server carries
 * it out once, however often it is sent, and whichever page sends it.
 */

import { BLANK, type NoteFields } from "../../api/note-fields.ts";
import type { Id, Note } from "../../api/types.ts";
import type { Draft, Held, Move, SentWrite } from "../../offline/store.ts";
import { changesOf, fieldsOf, rebased, titleFrom } from "./fields.ts";

/** A write that was sent, or is about to be, and has no answer. */
export interface PendingWrite extends SentWrite {
  /** An earlier attempt may have reached the server. */
  sent: boolean;
}

export interface NoteDraft {
  /** Names the stored draft; a new note is created under it. */
  readonly key: string;
  /** The version of the server that the fields are typed against; null until a new note is created. */
  readonly base: Note | null;
  readonly fields: NoteFields;
  /** While there is one, no other write is made. */
  readonly write: PendingWrite | null;
  /**
   * Moves into the trash and out of it, alternating, oldest first. The last is where the person wants the note; earlier
   * ones may have reached the server, or have to be made before typed text can be written.
   */
  readonly moves: readonly Move[];
}

/** What a note is created with. */
export type NewFields = Pick<NoteFields, "title" | "body" | "tags" | "properties">;

export type NoteRequest =
  | { kind: "create"; key: string; fields: NewFields }
  | { kind: "update"; id: Id; version: number; key: string; fields: Partial<NoteFields> }
  | { kind: "trash" | "restore"; id: Id; version: number; key: string };

/** Of a note as the server has it, or of a new one. `key`: not used before. */
export function draftOf(note: Note | null, key: string): NoteDraft {
  return { key, base: note, fields: fieldsOf(note ?? BLANK), write: null, moves: [] };
}

/** What another page stored. Which of its requests reached the server is unknown: all of them count as sent. */
export function fromStored({ key, base, fields, sent, move, earlier = [] }: Draft): NoteDraft {
  const moves = [...earlier, ...(move ? [move] : [])].map((left) => ({ ...left, sent: true }));
  return { key, base, fields, write: sent && { ...sent, sent: true }, moves };
}

export function toStored(draft: NoteDraft, held: Held | null): Omit<Draft, "tab"> {
  const { key, base, fields, write, moves } = draft;
  const sent = write && { key: write.key, fields: write.fields };
  return { key, base, fields, held, sent, move: moves.at(-1) ?? null, earlier: moves.slice(0, -1) };
}

/** What is typed and not in `base`. */
export function changes({ base, fields }: NoteDraft): Partial<NoteFields> {
  return changesOf(base, fields);
}

export function isTyped(draft: NoteDraft): boolean {
  return Object.keys(changes(draft)).length > 0;
}

/** There is something to send, or a request without an answer. */
export function isDirty(draft: NoteDraft): boolean {
  return draft.write !== null || draft.moves.length > 0 || isTyped(draft);
}

/** The server has the note, or may have it. */
export function isKnownToServer({ base, write }: NoteDraft): boolean {
  return base !== null || write !== null;
}

/** A request may have reached the server, with an unknown outcome. */
export function isUnanswered({ write, moves }: NoteDraft): boolean {
  return write !== null || moves.some(({ sent }) => sent);
}

/** Where the person wants the note; null if it stays where it is. */
export function moveTarget({ moves }: NoteDraft): Move["to"] | null {
  return moves.at(-1)?.to ?? null;
}

/** Whether the note is in the trash after all moves. `now`: whether the server has it there. */
export function endsInTrash(draft: NoteDraft, now = Boolean(draft.base?.deleted_at)): boolean {
  const target = moveTarget(draft);
  return target === null ? now : target === "trash";
}

/**
 * Adds the person's latest decision about the trash. If the last move was not sent, it is cancelled instead of reversed.
 * The exception is a restore before typed text: the text can be written only while the note is out of the trash, so both
 * moves are needed. `key`: not used before.
 */
export function requestMove(draft: NoteDraft, to: Move["to"], key: string): NoteDraft {
  const last = draft.moves.at(-1);
  if (last?.to === to) return draft;
  const isCancelled = last && !last.sent && !(to === "trash" && isTyped(draft));
  const before = isCancelled ? { ...draft, moves: draft.moves.slice(0, -1) } : draft;
  if (isCancelled && endsInTrash(before) === (to === "trash")) return before;
  return { ...before, moves: [...before.moves, { to, key, sent: false }] };
}

/** The pending write, or else one of what is typed; null if nothing can be written. `key`: not used before. */
export function nextWrite(draft: NoteDraft, key: string): PendingWrite | null {
  const { base, write, fields } = draft;
  if (write) return write;
  const changed = changes(draft);
  if (!base) {
    const { body, tags, properties } = fieldsOf(fields);
    const title = changed.title || titleFrom(body);
    return { key: draft.key, fields: { title, body, tags, properties }, sent: false };
  }
  // the server takes no note without a title
  return isTyped(draft) && changed.title !== "" ? { key, fields: changed, sent: false } : null;
}

/**
 * Whether the first move is sent before a write. A restore is, because a note in the trash cannot be written. So is the
 * first of several moves, which was made before the text was typed. A pending write is older than that: no move except
 * a restore is sent while a write has no answer.
 */
export function movesFirst({ moves: [first, second], write }: NoteDraft): boolean {
  return first?.to === "list" || (second !== undefined && write === null);
}

export function writeRequest({ base }: NoteDraft, { key, fields }: SentWrite): NoteRequest {
  const { title = "", body = "", tags = [], properties = {} } = fields;
  if (!base) return { kind: "create", key, fields: { title, body, tags, properties } };
  return { kind: "update", id: base.id, version: base.version, key, fields };
}

/** The next request, and the draft with it under way; null if there is none. `write`: from `nextWrite`. */
export function nextRequest(draft: NoteDraft, write: PendingWrite | null): [NoteRequest, NoteDraft] | null {
  const { base } = draft;
  const [move] = draft.moves;
  if (write && !(base && movesFirst(draft))) return [writeRequest(draft, write), { ...draft, write }];
  if (!base || !move) return null;
  const { to, key } = move;
  const moves = draft.moves.map((other) => (other === move ? { ...other, sent: true } : other));
  const kind = to === "list" ? "restore" : "trash";
  return [
    { kind, id: base.id, version: base.version, key },
    { ...draft, moves },
  ];
}

/** The server has written `sent`, and has `note` now. What was typed since then stays typed. */
export function acknowledgeWrite(draft: NoteDraft, sent: Partial<NoteFields>, note: Note): NoteDraft {
  const fields = { ...draft.fields };
  // the server normalizes tags, and a new note without a title got one
  if (sent.tags?.join("\n") === fields.tags.join("\n")) fields.tags = note.tags;
  if (!draft.base && !fields.title.trim()) fields.title = note.title;
  return { ...draft, base: note, fields, write: null };
}

/** The server has made the move under `key`. */
export function acknowledgeMove(draft: NoteDraft, key: string): NoteDraft {
  return { ...draft, moves: draft.moves.filter((move) => move.key !== key) };
}

/** The server has the note in the trash, as the version after `base`. `at`: since when, in ISO 8601. */
export function markTrashed(draft: NoteDraft, at: string): NoteDraft {
  const { base } = draft;
  if (!base || base.deleted_at) return draft;
  return { ...draft, base: { ...base, version: base.version + 1, deleted_at: at } };
}

/** What is typed, on top of a newer version; null if both changed the same place of the text. */
export function rebase(draft: NoteDraft, newer: Note): NoteDraft | null {
  const fields = draft.base && rebased(draft.base, draft.fields, newer);
  return fields && { ...draft, base: newer, fields };
}
