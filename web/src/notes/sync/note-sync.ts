/**
 * Keeps one note in sync with the server, as a state machine without I/O and timers: `step` takes a state and an event,
 * and returns the next state and the effects to carry out. `SyncDriver` carries them out and feeds in what comes of them.
 *
 *     stateDiagram-v2
 *       [*] --> synced
 *       [*] --> waiting: another page left a draft
 *       synced --> waiting: edited, trashRequested, restoreRequested
 *       waiting --> sending: saveDue
 *       sending --> synced: acknowledged
 *       sending --> sending: acknowledged, and there is more to send
 *       sending --> backoff: unreachable
 *       backoff --> sending: retryDue
 *       sending --> refused: rejected
 *       refused --> waiting: edited
 *       refused --> sending: saveDue
 *       sending --> sending: rejected for a newer version, which is merged
 *       sending --> conflict: rejected for a newer version, which changed the same place
 *       waiting --> conflict: noteArrived, which changed the same place
 *       conflict --> waiting: mineKept, mergeKept, theirsTaken, or a noteArrived that can be merged
 *
 * `closed` and `discarded` lead from every state to `closed`. A version that arrives while nothing is typed is shown;
 * one that arrives while a request has no answer is deferred until the answer.
 *
 * Invariants, and why they hold:
 *
 * - At most one request is under way. Only `#send` starts one; it is called in states without a request, and enters
 *   `sending`, which only the request's outcome or the end leaves. A leaving page may send a copy of the pending write
 *   with the same idempotency key, but not while a move is under way.
 * - A request names the version that the person saw, and a pending write keeps its version. Requests are made of
 *   `draft.base`. While one is unanswered, `base` does not change, because newer versions are deferred; an answer that
 *   changes `base` also ends the pending write.
 * - Typed text is not lost. It stays in `draft.fields` until the server has it or the person gives it up: only edits,
 *   three-way merges and, while nothing is typed, newer versions change `fields`. A dirty draft is stored with each change.
 * - Nothing is done twice. A request's key is in the draft until its outcome is known. A create has the draft's own key,
 *   so that another page's attempt is the same create.
 * - A conflict has both texts: ours in `draft.fields`, theirs in the state.
 */

import type { NoteFields } from "../../api/note-fields.ts";
import type { Id, Note } from "../../api/types.ts";
import type { Draft, Held, Move } from "../../offline/store.ts";
import { besideText, changesOf, fieldsOf } from "./fields.ts";
import * as drafts from "./note-draft.ts";
import { isDirty, isTyped, isUnanswered, moveTarget } from "./note-draft.ts";
import type { NoteDraft, NoteRequest, PendingWrite } from "./note-draft.ts";

/** A full account is tried again after this time. */
const QUOTA_RETRY_MS = 60_000;
/** Browsers limit the body of a request that outlives its page; this leaves room for the headers. */
const KEEPALIVE_CHARACTERS = 20_000;

export type Phase =
  /** There is nothing to send. */
  | { name: "synced" }
  /** There is something to send, at the next `saveDue`. */
  | { name: "waiting" }
  /** `failures`: attempts before this one. `edited`: whether the person has changed something since it was shown. */
  | { name: "sending"; request: NoteRequest; failures: number; edited: boolean }
  /** The server did not answer. The request is sent again at `retryDue`. */
  | { name: "backoff"; failures: number; edited: boolean }
  /** Both sides changed the same place, and the person has to choose. */
  | { name: "conflict"; theirs: Note }
  /** The server rejected the request for the reason in `error`, and would again. */
  | { name: "refused" }
  /** Nothing is sent any more, and answers are ignored. */
  | { name: "closed" };

export interface NoteSync {
  readonly phase: Phase;
  readonly draft: NoteDraft;
  /** In the trash, or on its way there. */
  readonly gone: boolean;
  /** The account's quota has no room for the last write. */
  readonly full: boolean;
  /** Why the last write or move was rejected. */
  readonly error: string | null;
  /** The last request got no answer. */
  readonly unreachable: boolean;
  /** The newest version that arrived while a request was unanswered. It may be the outcome of that request. */
  readonly deferred: Note | null;
  /** How many newer versions were shown or merged. */
  readonly landed: number;
}

export type SyncEvent =
  | { type: "edited"; fields: Partial<NoteFields> }
  | { type: "trashRequested" }
  | { type: "restoreRequested" }
  /** Ways to end a conflict: our text on top of their version, a text made of both, or their version. */
  | { type: "mineKept" }
  | { type: "mergeKept"; fields: Pick<NoteFields, "title" | "body"> }
  | { type: "theirsTaken" }
  /** After a pause in the typing, or when `flush` is called. */
  | { type: "saveDue" }
  | { type: "retryDue" }
  /** The request was carried out. `note`: the result; null for a move into the trash. `at`: the time, in ISO 8601. */
  | { type: "acknowledged"; note: Note | null; at: string }
  /** `code`: of the problem; empty for other errors. `current`: the server's version, with `version_conflict`. */
  | { type: "rejected"; code: string; reason: string; current: Note | null }
  /** There was no answer, so the outcome is unknown. `offline`: the request did not leave this device. */
  | { type: "unreachable"; offline: boolean }
  /** A version of the server: someone else's, or the outcome of our own request. */
  | { type: "noteArrived"; note: Note }
  | { type: "trashedElsewhere"; version: number; at: string }
  /** The page is hidden or unloaded, and may not come back. */
  | { type: "pageLeaving" }
  /** The person discards the unsaved changes. */
  | { type: "discarded" }
  | { type: "closed" };

export type SyncEffect =
  | { type: "send"; request: NoteRequest }
  /** Sent so that it outlives the page; the answer is ignored. */
  | { type: "sendCopy"; request: NoteRequest }
  /** `saveDue` after the debounce time, or after `afterMs`. Replaces an earlier schedule. */
  | { type: "scheduleSave"; afterMs: number | null }
  /** The maximum time that the debounce may take starts again with the next edit. */
  | { type: "restartMaxWait" }
  /** `retryDue` after the backoff delay. `failures`: those before the last one. */
  | { type: "scheduleRetry"; failures: number }
  /** `now`: not throttled. */
  | { type: "storeDraft"; now: boolean }
  | { type: "dropDraft" }
  /** Stops the timers. */
  | { type: "stop" }
  | { type: "announceSaved"; note: Note }
  | { type: "announceTrashed"; id: Id }
  | { type: "announceStayed"; note: Note }
  | { type: "announceSettled" };

/** Of a note as the server has it, of a new one, or of what another page left unsaved. `key`: not used before. */
export function initialSync(note: Note | null, left: Draft | null, key: string): NoteSync {
  const draft = left ? drafts.fromStored(left) : drafts.draftOf(note, key);
  return {
    phase: { name: isDirty(draft) ? "waiting" : "synced" },
    draft,
    gone: drafts.endsInTrash(draft),
    full: false,
    error: null,
    unreachable: false,
    deferred: null,
    landed: 0,
  };
}

/**
 * The state after `event`, and the effects to carry out in their order. `key`: not used before; the idempotency key of
 * the write or the move that this step may begin.
 */
export function step(sync: NoteSync, event: SyncEvent, key: string): [NoteSync, SyncEffect[]] {
  const transition = new Transition(sync, key);
  transition.apply(event);
  return [transition.sync, transition.effects];
}

/** There is something to send, or a request without an answer. */
export function hasUnsaved({ phase, draft }: NoteSync): boolean {
  return phase.name !== "closed" && isDirty(draft);
}

/** A request is under way, or will be sent again without an edit. */
export function isSaving({ phase }: NoteSync): boolean {
  return phase.name === "sending" || phase.name === "backoff";
}

/** Why the server does not have the note as it is here; null if it has, or will have it in a moment. */
export function heldReason(sync: NoteSync): Held | null {
  const { phase, full, unreachable, draft } = sync;
  if (phase.name === "conflict" || phase.name === "refused") return phase.name;
  if (!hasUnsaved(sync)) return null;
  if (full && moveTarget(draft) !== "trash") return "refused";
  return unreachable ? "offline" : null;
}

export type SaveState = "saved" | "waiting" | "saving" | "offline" | "conflict" | "refused";

/** The state for the person. What they changed while a request is under way is waiting. */
export function saveState({ phase, draft }: NoteSync): SaveState {
  switch (phase.name) {
    case "synced":
    case "closed":
      return "saved";
    case "sending":
      if (phase.edited) return "waiting";
      return phase.failures > 0 ? "offline" : "saving";
    case "backoff":
      if (!phase.edited) return "offline";
      return isDirty(draft) ? "waiting" : "saved";
    default:
      return phase.name;
  }
}

/** Whether `trashedElsewhere` says enough about `version`. If not, the note has to be read from the server. */
export function isDeletionKnown({ draft }: NoteSync, version: number): boolean {
  const known = draft.base?.version ?? 0;
  return version <= known + 1 || isUnanswered(draft);
}

/** The state and the effects of a step so far. It lives no longer than the call of `step`. */
class Transition {
  readonly effects: SyncEffect[] = [];
  sync: NoteSync;
  #key: string;

  constructor(sync: NoteSync, key: string) {
    this.sync = sync;
    this.#key = key;
  }

  apply(event: SyncEvent): void {
    const { phase, draft, full } = this.sync;
    if (phase.name === "closed") {
      if (event.type === "edited") this.#type(event.fields);
      return;
    }
    switch (event.type) {
      case "edited":
        this.#type(event.fields);
        if (phase.name !== "conflict" && !full) this.#set({ error: null });
        return this.#changed();
      case "trashRequested":
        return this.#requestTrash();
      case "restoreRequested":
        this.#set({ error: null });
        return this.#move("list");
      case "mineKept":
        return this.#resolve(() => ({}));
      case "mergeKept":
        return this.#resolve((theirs, base) => ({
          ...besideText(base, draft.fields, theirs),
          ...event.fields,
        }));
      case "theirsTaken":
        return this.#resolve((theirs) => fieldsOf(theirs));
      case "saveDue":
        return isSaving(this.sync) ? undefined : this.#proceed();
      case "retryDue":
        if (phase.name !== "backoff") return;
        if (hasUnsaved(this.sync)) return this.#send(phase.failures, phase.edited);
        return this.#set({ phase: { name: "synced" } });
      case "acknowledged":
        if (phase.name === "sending") this.#accept(phase.request, event.note, event.at);
        return;
      case "rejected":
        if (phase.name === "sending") this.#reject(phase.request, event);
        return;
      case "unreachable":
        if (phase.name === "sending") this.#backOff(phase.failures, event.offline);
        return;
      case "noteArrived":
        return this.#arrive(event.note);
      case "trashedElsewhere":
        return this.#trashedElsewhere(event.version, event.at);
      case "pageLeaving":
        return this.#leave();
      case "discarded":
        return this.#discard();
      case "closed":
        return this.#close();
    }
  }

  #set(changed: Partial<NoteSync>): void {
    this.sync = { ...this.sync, ...changed };
  }

  #setDraft(changed: Partial<NoteDraft>): void {
    this.#set({ draft: { ...this.sync.draft, ...changed } });
  }

  #do(effect: SyncEffect): void {
    this.effects.push(effect);
  }

  // What the person does.

  #type(fields: Partial<NoteFields>): void {
    this.#setDraft({ fields: { ...this.sync.draft.fields, ...fields } });
  }

  /** Moves the note after what was typed is written. A note that the server never got is discarded instead. */
  #requestTrash(): void {
    const { phase, draft } = this.sync;
    if (!drafts.isKnownToServer(draft)) return this.#discard();
    if (phase.name === "conflict") {
      this.#setDraft({ base: phase.theirs });
      this.#set({ phase: { name: "waiting" } });
    }
    const { base, fields } = this.sync.draft;
    if (base && !fields.title.trim()) this.#type({ title: base.title }); // the server takes no note without a title
    this.#move("trash");
  }

  #move(to: Move["to"]): void {
    this.#set({ draft: drafts.requestMove(this.sync.draft, to, this.#key), gone: to === "trash" });
    this.#changed();
    if (hasUnsaved(this.sync)) this.#do({ type: "storeDraft", now: true }); // the page may be left at once
  }

  /** Ends a conflict. `fields`: what of our fields changes on top of their version. */
  #resolve(fields: (theirs: Note, base: Note) => Partial<NoteFields>): void {
    const { phase, draft } = this.sync;
    if (phase.name !== "conflict" || !draft.base) return;
    this.#type(fields(phase.theirs, draft.base));
    this.#setDraft({ base: phase.theirs });
    this.#set({ phase: { name: "waiting" } });
    this.#changed();
  }

  #leave(): void {
    const { phase, draft } = this.sync;
    if (phase.name === "conflict" || !isDirty(draft)) return;
    const isMoving = phase.name === "sending" && !isWrite(phase.request);
    const write = isMoving || drafts.movesFirst(draft) ? null : this.#nextWrite();
    const isSent = write !== null && JSON.stringify(write.fields).length <= KEEPALIVE_CHARACTERS;
    if (write) this.#setDraft({ write: { ...write, sent: write.sent || isSent } });
    this.#do({ type: "storeDraft", now: true });
    if (isSent) this.#do({ type: "sendCopy", request: drafts.writeRequest(draft, write) });
  }

  #discard(): void {
    this.#close();
    this.#do({ type: "dropDraft" });
  }

  #close(): void {
    this.#set({ phase: { name: "closed" } });
    this.#do({ type: "stop" });
  }

  // What is sent.

  /** Sends the next request, if there is one and the person has nothing to choose first. */
  #proceed(): void {
    if (this.sync.phase.name !== "conflict" && hasUnsaved(this.sync)) this.#send(0, false);
  }

  #send(failures: number, edited: boolean): void {
    this.#do({ type: "restartMaxWait" });
    const next = drafts.nextRequest(this.sync.draft, this.#nextWrite());
    if (!next) return this.#refuse("A note needs a title.");
    const [request, draft] = next;
    this.#set({ draft, phase: { name: "sending", request, failures, edited } });
    // so that no other page takes the note for one that was never sent
    if (request.kind === "create") this.#do({ type: "storeDraft", now: false });
    this.#do({ type: "send", request });
  }

  /** A note that is moved into the trash goes there without the text that the quota has no room for. */
  #nextWrite(): PendingWrite | null {
    const { draft, full } = this.sync;
    const isHeldBack = full && draft.base && !draft.write && moveTarget(draft) === "trash";
    return isHeldBack ? null : drafts.nextWrite(draft, this.#key);
  }

  // The outcome of a request.

  #accept(request: NoteRequest, note: Note | null, at: string): void {
    this.#set({ phase: { name: "waiting" }, error: null, unreachable: false, full: false });
    const { draft } = this.sync;
    switch (request.kind) {
      case "create":
      case "update":
        if (note) this.#set({ draft: drafts.acknowledgeWrite(draft, request.fields, note) });
        break;
      case "restore":
        // the pending write was made against another version; its text is still typed, on top of this one
        this.#set({ draft: { ...drafts.acknowledgeMove(draft, request.key), write: null } });
        if (note && isTyped(draft)) this.#rebase(note);
        else if (note) this.#show(note);
        this.#set({ gone: drafts.endsInTrash(this.sync.draft, false) });
        break;
      case "trash":
        this.#set({ draft: drafts.acknowledgeMove(draft, request.key) });
        this.#trashed(at);
    }
    if (this.sync.phase.name !== "conflict") this.#settle();
    const { base } = this.sync.draft;
    if (note) this.#do({ type: "announceSaved", note });
    else if (base) this.#do({ type: "announceTrashed", id: base.id });
    this.#catchUp();
    this.#proceed();
  }

  #reject(request: NoteRequest, { code, reason, current }: Extract<SyncEvent, { type: "rejected" }>): void {
    const full = code === "quota_exceeded";
    this.#set({ phase: { name: "waiting" }, unreachable: false, full });
    const { draft } = this.sync;
    const to = moveTarget(draft);
    if (full) this.#do({ type: "scheduleSave", afterMs: QUOTA_RETRY_MS });
    if (code === "auth_required") return this.#refuse(reason);
    if (code === "version_conflict" && current) {
      this.#setDraft({ write: null });
      this.#overtake(current);
      this.#rebase(current);
      this.#catchUp();
      return this.#proceed();
    }
    if (full && to === "trash" && draft.base) {
      this.#setDraft({ write: null });
      return this.#proceed();
    }
    // a note that was not written is not moved into the trash either
    this.#setDraft({ moves: [], write: isWrite(request) ? null : draft.write });
    this.#set({ gone: code === "not_found" || request.kind === "restore" });
    if (code !== "not_found") return this.#refuse(reason);
    if (isWrite(request)) return this.#refuse("This note was deleted.");
    if (request.kind === "restore" || to === "list") return this.#refuse("This note was deleted for good.");
    this.#settle();
    this.#proceed();
  }

  #backOff(failures: number, offline: boolean): void {
    const { base, write } = this.sync.draft;
    // nothing of a new note has left this device: the next attempt sends what is typed by then
    if (write && !write.sent && offline && !base) this.#setDraft({ write: null });
    else if (write && !offline) this.#setDraft({ write: { ...write, sent: true } });
    this.#set({ phase: { name: "waiting" }, unreachable: true });
    if (!hasUnsaved(this.sync)) return this.#settle();
    this.#set({ phase: { name: "backoff", failures: failures + 1, edited: false } });
    this.#do({ type: "storeDraft", now: false });
    this.#do({ type: "scheduleRetry", failures });
  }

  #refuse(reason: string): void {
    this.#set({ phase: { name: "refused" }, error: reason });
    if (this.sync.full && !hasUnsaved(this.sync)) return this.#settle();
    this.#store();
  }

  // What others do.

  /** A newer version. What is typed is merged into it; if both changed the same place, there is a conflict. */
  #arrive(note: Note): void {
    const { draft, deferred, landed } = this.sync;
    if (draft.base && note.version <= draft.base.version) return;
    // it may be the outcome of our own request
    if (isUnanswered(draft)) {
      if (!deferred || note.version >= deferred.version) this.#set({ deferred: note });
      return;
    }
    this.#overtake(note);
    if (hasUnsaved(this.sync)) return this.#rebase(note);
    this.#show(note);
    this.#set({ landed: landed + 1 });
    this.#settle();
  }

  #catchUp(): void {
    const { deferred } = this.sync;
    this.#set({ deferred: null });
    if (deferred) this.#arrive(deferred);
  }

  /**
   * Someone changed the note before it could be moved. The moves are dropped, and the person is notified if the note is
   * not where they want it. A restore stays if the note is in the trash with the content that the person has seen.
   */
  #overtake(by: Note): void {
    const { draft } = this.sync;
    const to = moveTarget(draft);
    if (to === "list" && by.deleted_at && draft.base && isSame(draft.base, by)) return;
    const gone = Boolean(by.deleted_at);
    this.#setDraft({ moves: [] });
    this.#set({ gone });
    if (to !== null && gone !== (to === "trash")) this.#do({ type: "announceStayed", note: by });
  }

  #trashedElsewhere(version: number, at: string): void {
    const { draft } = this.sync;
    const known = draft.base?.version ?? 0;
    if (version <= known) return;
    this.#set({ gone: moveTarget(draft) !== "list" });
    // the outcome of a request under way shows it, or the note is read from the server
    if (!isUnanswered(draft) && version === known + 1) this.#trashed(at);
  }

  // What several of them share.

  #trashed(at: string): void {
    const draft = drafts.markTrashed(this.sync.draft, at);
    this.#set({ draft, gone: drafts.endsInTrash(draft, true) });
  }

  #show(note: Note): void {
    this.#setDraft({ base: note, fields: fieldsOf(note) });
    this.#set({ gone: drafts.endsInTrash(this.sync.draft) });
  }

  /** Puts what is typed on top of a newer version; a conflict if both changed the same place. */
  #rebase(theirs: Note): void {
    const draft = drafts.rebase(this.sync.draft, theirs);
    if (!draft) {
      this.#set({ phase: { name: "conflict", theirs } });
      return this.#store();
    }
    this.#set({ draft, landed: this.sync.landed + 1 });
    if (this.sync.phase.name === "conflict") this.#set({ phase: { name: "waiting" } });
    this.#changed();
  }

  /** The draft has changed: stores it, and saves it after the debounce time. */
  #changed(): void {
    if (this.sync.phase.name === "conflict") return this.#store();
    this.#settle();
    if (hasUnsaved(this.sync)) this.#do({ type: "scheduleSave", afterMs: null });
  }

  /** Enters `waiting` or `synced`, whichever fits the draft; `sending` and `backoff` stay. */
  #settle(): void {
    const { phase, full } = this.sync;
    const dirty = hasUnsaved(this.sync);
    if (phase.name === "sending" || phase.name === "backoff")
      this.#set({ phase: { ...phase, edited: true } });
    else this.#set({ phase: { name: dirty ? "waiting" : "synced" } });
    // the text that the quota had no room for was taken back
    if (full && !dirty) this.#set({ full: false, error: null });
    this.#store();
  }

  /** Stores what is unsaved; drops the stored draft if nothing is. */
  #store(): void {
    if (hasUnsaved(this.sync)) return this.#do({ type: "storeDraft", now: false });
    this.#do({ type: "dropDraft" });
    this.#do({ type: "announceSettled" });
  }
}

const isWrite = ({ kind }: NoteRequest) => kind === "create" || kind === "update";

const isSame = (one: Note, other: Note) => Object.keys(changesOf(one, fieldsOf(other))).length === 0;
