// @vitest-environment node
/**
 * The state machine in random stories: a person types, others write, and requests and answers are lost or delayed. After
 * each event the invariants of `note-sync.ts` are checked; in the end, when all is answered, nothing typed is missing.
 */

import fc from "fast-check";
import { expect, it } from "vitest";

import { BLANK } from "../../api/note-fields.ts";
import type { Note } from "../../api/types.ts";
import type { Draft } from "../../offline/store.ts";
import { fieldsOf } from "./fields.ts";
import { isDirty, isUnanswered, type NoteRequest, toStored } from "./note-draft.ts";
import {
  heldReason,
  initialSync,
  isDeletionKnown,
  type NoteSync,
  step,
  type SyncEffect,
  type SyncEvent,
} from "./note-sync.ts";

const AT = "2026-01-02T00:00:00Z";
const BODY = "ours:\n\ntheirs:\n\nlast:";

/** What happens to a request. `delayed`: it arrives after the page has stopped waiting for its answer. */
const FATES = ["answer lost", "request lost", "offline", "delayed", "signed out"] as const;
/** `own`: a line that only one side changes; `last`: one that both sides change. */
const PLACES = ["own", "last"] as const;

/** What happens in a story, and how often. */
const WEIGHTS = {
  ...{ rename: 1, tag: 1, pin: 1, "clear the title": 1, "take back": 1, "type though gone": 1 },
  ...{ trash: 3, restore: 3, "keep mine": 1, "keep both": 1, "take theirs": 1 },
  ...{ save: 8, retry: 4, leave: 1, crash: 1, "delayed arrives": 1, hear: 3, "hear late": 1 },
  ...{ "others trash": 1, "others restore": 1, "others delete for good": 0.1, full: 0.5, room: 0.5 },
};

type Action =
  | { do: "type" | "others type"; place: (typeof PLACES)[number] }
  | { do: "network"; fate: "answered" | (typeof FATES)[number] }
  | { do: keyof typeof WEIGHTS };

const place = fc.constantFrom(...PLACES);
const actions = fc.array(
  fc.oneof(
    { weight: 60, arbitrary: fc.record({ do: fc.constant("type" as const), place }) },
    { weight: 40, arbitrary: fc.record({ do: fc.constant("others type" as const), place }) },
    { weight: 80, arbitrary: fc.constant<Action>({ do: "network", fate: "answered" }) },
    {
      weight: 50,
      arbitrary: fc.record({ do: fc.constant("network" as const), fate: fc.constantFrom(...FATES) }),
    },
    ...Object.entries(WEIGHTS).map(([name, weight]) => ({
      weight: weight * 10,
      arbitrary: fc.constant<Action>({ do: name as keyof typeof WEIGHTS }),
    })),
  ),
  { maxLength: 60, size: "max" },
);

/** For a longer search: `MODEL_RUNS=100000`. */
const RUNS = Number(process.env["MODEL_RUNS"] ?? 1_500);

type Answer = { note: Note | null } | { code: string; current: Note | null };

/** One note at the server, with its versions, `If-Match`, idempotency keys, the trash and a quota. */
class Server {
  note: Note | null = null;
  full = false;
  made = 0;
  /** All versions so far. */
  readonly history: Note[] = [];
  readonly #answers = new Map<string, Note>();

  change(fields: Partial<Note>): Note {
    const blank = { id: "n1", ...BLANK, aliases: [], created_at: AT };
    const made = { updated_at: AT, updated_by: { kind: "user" as const } };
    this.note = { ...blank, ...this.note, ...made, ...fields, version: (this.note?.version ?? 0) + 1 };
    this.history.push(this.note);
    return this.note;
  }

  answer(request: NoteRequest): Answer {
    const answer = this.#answers.get(request.key) ?? this.#do(request);
    if ("code" in answer) return answer;
    this.#answers.set(request.key, answer);
    return { note: request.kind === "trash" ? null : answer };
  }

  #do(request: NoteRequest): Note | { code: string; current: Note | null } {
    const { note } = this;
    const isWrite = request.kind === "create" || request.kind === "update";
    const full = { code: "quota_exceeded", current: null };
    if (request.kind === "create") {
      if (this.full) return full;
      this.made += 1;
      return this.change(request.fields);
    }
    if (!note || (isWrite && note.deleted_at)) return { code: "not_found", current: null };
    const isThere = !isWrite && Boolean(note.deleted_at) === (request.kind === "trash");
    if (isThere) return note;
    if (request.version !== note.version) return { code: "version_conflict", current: note };
    if (request.kind === "update") return this.full ? full : this.change(request.fields);
    return this.change({ deleted_at: request.kind === "trash" ? AT : null });
  }
}

/** The state machine with its surroundings: the server, the network, the timers, and the stored draft. */
class World {
  sync: NoteSync;
  readonly server = new Server();
  stored: Omit<Draft, "tab"> | null = null;
  isSaveScheduled = false;
  isRetryScheduled = false;
  underWay: NoteRequest | null = null;
  /** Requests without a waiting page, which may still arrive. */
  delayed: NoteRequest[] = [];
  /** The words that have to be in the note in the end: typed by us and by others, and not given up. */
  readonly words = new Set<string>();
  readonly #sent = new Map<string, NoteRequest>();
  #count = 0;

  constructor(kind: "new" | "listed" | "trashed") {
    if (kind !== "new") this.server.change({ title: "List", body: BODY });
    if (kind === "trashed") this.server.change({ deleted_at: AT });
    this.sync = initialSync(this.server.note, null, this.#id());
  }

  #id(): string {
    return `#${++this.#count}`;
  }

  /** `body` with one more word. No two words share a letter: a merge may join changes within one word. */
  #word(body: string, line: "ours" | "theirs" | "last"): string {
    const word = String.fromCodePoint(0x4e00 + ++this.#count);
    this.words.add(word);
    const before = body || BODY;
    return before.replace(`${line}:`, `${line}: ${word}`);
  }

  send(event: SyncEvent): void {
    const before = this.sync;
    const [sync, effects] = step(before, event, this.#id());
    this.sync = sync;
    for (const effect of effects) this.#perform(effect);
    this.#check(before, event);
  }

  #perform(effect: SyncEffect): void {
    const { draft } = this.sync;
    switch (effect.type) {
      case "send":
        expect(this.underWay, "one request at a time").toBeNull();
        this.underWay = effect.request;
        return this.#checkRequest(effect.request);
      case "sendCopy":
        if (this.underWay) expect(effect.request, "a copy of what is under way").toEqual(this.underWay);
        this.delayed.push(effect.request);
        return this.#checkRequest(effect.request);
      case "scheduleSave":
        this.isSaveScheduled = true;
        return;
      case "scheduleRetry":
        this.isRetryScheduled = true;
        return;
      case "storeDraft":
        this.stored = structuredClone(toStored(draft, heldReason(this.sync)));
        return;
      case "dropDraft":
        this.stored = null;
        return;
      case "stop":
        this.isSaveScheduled = this.isRetryScheduled = false;
    }
  }

  #checkRequest(request: NoteRequest): void {
    const { base } = this.sync.draft;
    if (request.kind === "create") expect(base).toBeNull();
    else
      expect([request.id, request.version], "it names the version that was seen").toEqual([
        base?.id,
        base?.version,
      ]);
    if (request.kind !== "update") return;
    const before = this.#sent.get(request.key);
    if (before) expect(request, "the same key, the same write").toEqual(before);
    this.#sent.set(request.key, request);
  }

  #check(before: NoteSync, event: SyncEvent): void {
    const { phase, draft } = this.sync;
    expect(phase.name === "sending").toBe(this.underWay !== null);
    expect(phase.name === "backoff").toBe(this.isRetryScheduled);
    expect(this.server.made).toBeLessThanOrEqual(1);
    if (phase.name === "closed") {
      expect([this.server.note, this.delayed], "only a note that was never sent is discarded").toEqual([
        null,
        [],
      ]);
      return;
    }
    if (phase.name === "sending") expect(isUnanswered(draft)).toBe(true);
    if (phase.name === "synced") expect([isDirty(draft), this.stored]).toEqual([false, null]);
    if (phase.name === "waiting") expect([isDirty(draft), this.isSaveScheduled]).toEqual([true, true]);
    if (phase.name === "conflict") {
      expect(this.server.history).toContain(phase.theirs);
      expect(phase.theirs.version).toBeGreaterThan(draft.base?.version ?? 0);
    }
    if (isDirty(draft)) expect(this.stored?.fields, "what is unsaved is stored").toEqual(draft.fields);
    else expect(this.stored).toBeNull();
    const isAnswer =
      event.type === "acknowledged" || event.type === "rejected" || before.phase.name === "conflict";
    if (isUnanswered(before.draft) && !isAnswer) expect(draft.base).toBe(before.draft.base);
    for (const word of this.words) {
      const isKept =
        draft.fields.body.includes(word) || this.server.history.some(({ body }) => body.includes(word));
      expect(isKept, `${word} is in the draft or at the server`).toBe(true);
    }
  }

  /** The page crashes, and another one opens the note. */
  crash(): void {
    if (!this.stored && !this.server.note && this.server.history.length > 0) return; // there is nothing to open
    if (this.underWay) this.delayed.push(this.underWay);
    this.underWay = null;
    this.isRetryScheduled = false;
    const left = this.stored && { ...this.stored, tab: "t" };
    this.sync = initialSync(this.server.note, left, this.#id());
    this.isSaveScheduled = left !== null; // the page saves a draft that was left at once
  }

  /** Decides about the request under way. */
  network(fate: "answered" | (typeof FATES)[number]): void {
    const request = this.underWay;
    if (!request) return;
    this.underWay = null;
    if (fate === "signed out")
      return this.send({ type: "rejected", code: "auth_required", reason: "", current: null });
    if (fate === "delayed") this.delayed.push(request);
    if (fate === "request lost" || fate === "offline" || fate === "delayed")
      return this.send({ type: "unreachable", offline: fate === "offline" });
    const answer = this.#arrive(request);
    // the model leaves out that an older copy of a rejected request arrives later, and is accepted
    if ("code" in answer) this.delayed = this.delayed.filter(({ key }) => key !== request.key);
    if (fate === "answer lost") return this.send({ type: "unreachable", offline: false });
    if ("code" in answer) this.send({ type: "rejected", reason: answer.code, ...answer });
    else this.send({ type: "acknowledged", note: answer.note, at: AT });
  }

  /** The request arrives at the server. It must not overwrite what others wrote since the version that it names. */
  #arrive(request: NoteRequest): Answer {
    const before = this.server.note?.body ?? "";
    const answer = this.server.answer(request);
    for (const word of this.words)
      if (before.includes(word)) expect(this.server.note?.body, "no word is overwritten").toContain(word);
    return answer;
  }

  /** What the page does when it receives a version. There may be newer ones by then. */
  hear({ version, deleted_at }: Note): void {
    const known = this.sync.draft.base;
    if (!known) return;
    const isKnown = isDeletionKnown(this.sync, version);
    if (deleted_at) this.send({ type: "trashedElsewhere", version, at: AT });
    if (deleted_at && isKnown) return;
    if (this.server.note && known.version < version)
      this.send({ type: "noteArrived", note: this.server.note });
  }

  /** The person discards the words that are not in `remaining`. */
  #giveUp(remaining: string): void {
    for (const word of this.words) if (!remaining.includes(word)) this.words.delete(word);
  }

  do(action: Action): void {
    const { server, sync } = this;
    const { draft, gone, phase } = sync;
    const { note } = server;
    const { body } = draft.fields;
    switch (action.do) {
      case "type":
        if (gone) return;
        return this.send({
          type: "edited",
          fields: { body: this.#word(body, action.place === "own" ? "ours" : "last") },
        });
      case "type though gone":
        return this.send({ type: "edited", fields: { body: this.#word(body, "ours") } });
      case "clear the title":
        return gone ? undefined : this.send({ type: "edited", fields: { title: " " } });
      case "rename":
        return gone ? undefined : this.send({ type: "edited", fields: { title: `Title ${++this.#count}` } });
      case "tag":
        return gone ? undefined : this.send({ type: "edited", fields: { tags: [`tag-${++this.#count}`] } });
      case "pin":
        return gone ? undefined : this.send({ type: "edited", fields: { pinned: !draft.fields.pinned } });
      case "take back": {
        if (gone) return;
        const before = draft.base ?? BLANK;
        this.#giveUp(before.body);
        return this.send({ type: "edited", fields: fieldsOf(before) });
      }
      case "trash":
        if (!draft.base && !draft.write) this.words.clear();
        if (phase.name === "conflict") this.#giveUp(body);
        return this.send({ type: "trashRequested" });
      case "restore":
        return this.send({ type: "restoreRequested" });
      case "keep mine":
        if (phase.name !== "conflict") return;
        this.#giveUp(body);
        return this.#resolve({ type: "mineKept" });
      case "keep both":
        if (phase.name !== "conflict") return;
        return this.#resolve({
          type: "mergeKept",
          fields: { title: "Both", body: `${body}\n${phase.theirs.body}` },
        });
      case "take theirs":
        if (phase.name !== "conflict") return;
        this.#giveUp(phase.theirs.body);
        return this.send({ type: "theirsTaken" });
      case "save":
        return this.send({ type: "saveDue" });
      case "retry":
        if (!this.isRetryScheduled) return;
        this.isRetryScheduled = false;
        return this.send({ type: "retryDue" });
      case "leave":
        return this.send({ type: "pageLeaving" });
      case "crash":
        return this.crash();
      case "network":
        return this.network(action.fate);
      case "delayed arrives": {
        const request = this.delayed.shift();
        return request && void this.#arrive(request);
      }
      case "hear":
        return note ? this.hear(note) : undefined;
      case "hear late": {
        const late = server.history.at(-2);
        return late && this.hear(late);
      }
      case "others type":
        if (note && !note.deleted_at)
          server.change({ body: this.#word(note.body, action.place === "own" ? "theirs" : "last") });
        return;
      case "others trash":
        if (note && !note.deleted_at) server.change({ deleted_at: AT });
        return;
      case "others restore":
        if (note?.deleted_at) server.change({ deleted_at: null });
        return;
      case "others delete for good":
        if (note?.deleted_at) server.note = null;
        return;
      case "full":
        server.full = true;
        return;
      case "room":
        server.full = false;
    }
  }

  /** As `OpenNote` does it, which saves at once. */
  #resolve(event: SyncEvent): void {
    this.send(event);
    this.send({ type: "saveDue" });
  }

  /** The network works, there is room in the account, and the person solves what they have to. */
  settle(): void {
    this.server.full = false;
    while (this.delayed.length > 0) this.do({ do: "delayed arrives" });
    for (let round = 0; round < 50; round++) {
      const { phase, draft, gone } = this.sync;
      if (this.underWay) this.network("answered");
      else if (phase.name === "backoff") this.do({ do: "retry" });
      else if (phase.name === "conflict") this.do({ do: "keep both" });
      else if (phase.name === "waiting") this.do({ do: "save" });
      else if (phase.name === "refused" && this.server.note === null && this.server.history.length > 0)
        return;
      else if (phase.name === "refused" && !draft.fields.title.trim())
        this.send({ type: "edited", fields: { title: "A title" } });
      else if (phase.name === "refused" && gone && isDirty(draft)) this.do({ do: "restore" });
      else if (phase.name === "refused" && isDirty(draft)) this.do({ do: "save" });
      else if (this.server.note && draft.base && draft.base.version < this.server.note.version)
        this.send({ type: "noteArrived", note: this.server.note });
      else return;
    }
    throw new Error(`no end: ${JSON.stringify(this.sync)}`);
  }
}

it("keeps its invariants in random stories, and ends in sync with the server", { timeout: 600_000 }, () => {
  fc.assert(
    fc.property(fc.constantFrom("new", "listed", "trashed"), actions, (kind, story) => {
      const world = new World(kind);
      for (const action of story) {
        if (world.sync.phase.name === "closed") return;
        world.do(action);
      }
      if (world.sync.phase.name === "closed") return;
      world.settle();
      const { sync, server } = world;
      if (server.note === null) return; // deleted for good, or never created
      expect(isDirty(sync.draft)).toBe(false);
      expect(sync.phase.name).toBeOneOf(["synced", "refused"]);
      expect(fieldsOf(sync.draft.fields)).toEqual(fieldsOf(server.note));
      expect(sync.draft.base?.version).toBe(server.note.version);
      expect(sync.gone).toBe(Boolean(server.note.deleted_at));
      for (const word of world.words) expect(server.note.body).toContain(word);
    }),
    { numRuns: RUNS },
  );
});
