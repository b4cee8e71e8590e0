// @vitest-environment node
import { describe, expect, it } from "vitest";

import { BLANK, type NoteFields } from "../../api/note-fields.ts";
import type { Note } from "../../api/types.ts";
import { toStored } from "./note-draft.ts";
import {
  heldReason,
  initialSync,
  type NoteSync,
  type Phase,
  saveState,
  step,
  type SyncEffect,
  type SyncEvent,
} from "./note-sync.ts";

const AT = "2026-01-02T00:00:00Z";
const LATER = "2026-01-03T00:00:00Z";

function note(version: number, fields: Partial<Note> = {}): Note {
  const times = { created_at: AT, updated_at: AT, updated_by: { kind: "user" as const } };
  return { id: "n1", ...BLANK, aliases: [], title: "List", body: "milk", ...times, version, ...fields };
}

/** Keys are numbered in their order. */
let keys = 0;
const key = () => `key ${++keys}`;
let effects: SyncEffect[] = [];

function after(sync: NoteSync, ...events: SyncEvent[]): NoteSync {
  for (const event of events) [sync, effects] = step(sync, event, key());
  return sync;
}

const typed = (fields: Partial<NoteFields> = { body: "oat milk" }): SyncEvent => ({ type: "edited", fields });
const written = (result: Note): SyncEvent => ({ type: "acknowledged", note: result, at: AT });
const trashed: SyncEvent = { type: "acknowledged", note: null, at: AT };
const rejected = (code: string, current: Note | null = null): SyncEvent => ({
  type: "rejected",
  code,
  reason: `Because of ${code}.`,
  current,
});
const unreachable: SyncEvent = { type: "unreachable", offline: false };
const offline: SyncEvent = { type: "unreachable", offline: true };
const arrived = (newer: Note): SyncEvent => ({ type: "noteArrived", note: newer });
const elsewhere = (version: number): SyncEvent => ({ type: "trashedElsewhere", version, at: AT });
const [toTrash, toList, due, retry, leaving, discarded, closed, mine, theirs] = (
  [
    ...["trashRequested", "restoreRequested", "saveDue", "retryDue", "pageLeaving", "discarded", "closed"],
    ...["mineKept", "theirsTaken"],
  ] as ("saveDue" | "retryDue")[]
).map((type) => ({ type })) as [
  SyncEvent,
  SyncEvent,
  SyncEvent,
  SyncEvent,
  SyncEvent,
  SyncEvent,
  SyncEvent,
  SyncEvent,
  SyncEvent,
];

const soy = note(2, { body: "soy milk" });

const fresh = initialSync(null, null, "draft");
const newTyped = after(fresh, typed());
const synced = initialSync(note(1), null, "draft");
const waiting = after(synced, typed());
const sending = after(waiting, due);
const backoff = after(sending, unreachable);
const conflict = after(sending, rejected("version_conflict", soy));
const toBeTrashed = after(synced, toTrash);
const trashing = after(toBeTrashed, due);
const inTrash = initialSync(note(1, { deleted_at: AT }), null, "draft");
const toBeRestored = after(inTrash, toList);
const restoring = after(toBeRestored, due);

const STATES = {
  new: fresh,
  "new, typed": newTyped,
  creating: after(newTyped, due),
  synced,
  waiting,
  "without a title": after(synced, typed({ title: " " })),
  sending,
  "sending again": after(backoff, retry),
  "sending, typed since": after(sending, typed({ body: "oat milk, eggs" })),
  backoff,
  "backoff, typed since": after(backoff, typed({ body: "oat milk, eggs" })),
  "backoff of a new note, taken back": after(newTyped, due, offline, typed({ body: "" })),
  conflict,
  "conflict, taken back": after(conflict, typed({ body: "milk" })),
  refused: after(sending, rejected("validation_failed")),
  full: after(sending, rejected("quota_exceeded")),
  "full, typed since": after(sending, rejected("quota_exceeded"), typed({ body: "oat milk, eggs" })),
  "to be trashed": toBeTrashed,
  "typed, to be trashed": after(waiting, toTrash),
  trashing,
  "trashing, to be restored": after(trashing, toList),
  "in the trash": inTrash,
  "to be restored": toBeRestored,
  restoring,
  "restoring, typed": after(restoring, typed()),
  closed: after(sending, closed),
};

/** An effect in a few words. */
function brief(effect: SyncEffect): string {
  switch (effect.type) {
    case "send":
    case "sendCopy": {
      const { request } = effect;
      const on = request.kind === "create" ? "" : ` v${request.version}`;
      const fields = "fields" in request ? ` ${Object.keys(request.fields).join("+")}` : "";
      return `${effect.type} ${request.kind}${on}${fields}`;
    }
    case "scheduleSave":
      return effect.afterMs === null ? "scheduleSave" : `scheduleSave in ${effect.afterMs} ms`;
    case "scheduleRetry":
      return `scheduleRetry ${effect.failures}`;
    case "storeDraft":
      return effect.now ? "storeDraft now" : "storeDraft";
    case "announceSaved":
    case "announceStayed":
      return `${effect.type} v${effect.note.version}`;
    default:
      return effect.type;
  }
}

type Row = [from: keyof typeof STATES, event: SyncEvent, to: Phase["name"], effects: string];

const EDITED = "storeDraft, scheduleSave";
const MOVED = "storeDraft, scheduleSave, storeDraft now";
const DROPPED = "dropDraft, announceSettled";

const TABLE: Row[] = [
  // the person types
  ["new", typed(), "waiting", EDITED],
  ["synced", typed(), "waiting", EDITED],
  ["waiting", typed({ body: "milk" }), "synced", DROPPED],
  ["sending", typed({ body: "eggs" }), "sending", EDITED],
  ["sending", typed({ body: "milk" }), "sending", EDITED],
  ["backoff", typed({ body: "eggs" }), "backoff", EDITED],
  ["conflict", typed({ body: "eggs" }), "conflict", "storeDraft"],
  ["conflict", typed({ body: "milk" }), "conflict", DROPPED],
  ["refused", typed({ body: "eggs" }), "waiting", EDITED],
  ["full", typed({ body: "milk" }), "synced", DROPPED],
  ["closed", typed({ body: "eggs" }), "closed", ""],

  // it is saved
  ["synced", due, "synced", ""],
  ["new", due, "synced", ""],
  ["new, typed", due, "sending", "restartMaxWait, storeDraft, send create title+body+tags+properties"],
  ["waiting", due, "sending", "restartMaxWait, send update v1 body"],
  ["without a title", due, "refused", "restartMaxWait, storeDraft"],
  ["sending", due, "sending", ""],
  ["backoff", due, "backoff", ""],
  ["conflict", due, "conflict", ""],
  ["refused", due, "sending", "restartMaxWait, send update v1 body"],
  ["typed, to be trashed", due, "sending", "restartMaxWait, send update v1 body"],
  ["to be trashed", due, "sending", "restartMaxWait, send trash v1"],
  ["to be restored", due, "sending", "restartMaxWait, send restore v1"],
  ["closed", due, "closed", ""],

  // the server has done it
  [
    "creating",
    written(note(1, { title: "oat milk", body: "oat milk" })),
    "synced",
    `${DROPPED}, announceSaved v1`,
  ],
  ["sending", written(note(2, { body: "oat milk" })), "synced", `${DROPPED}, announceSaved v2`],
  [
    ...(["sending, typed since", written(note(2, { body: "oat milk" })), "sending"] as const),
    "storeDraft, announceSaved v2, restartMaxWait, send update v2 body",
  ],
  ["trashing", trashed, "synced", `${DROPPED}, announceTrashed`],
  [
    ...(["trashing, to be restored", trashed, "sending"] as const),
    "storeDraft, announceTrashed, restartMaxWait, send restore v2",
  ],
  ["restoring", written(note(2)), "synced", `${DROPPED}, announceSaved v2`],
  [
    ...(["restoring, typed", written(note(2)), "sending"] as const),
    "storeDraft, scheduleSave, storeDraft, announceSaved v2, restartMaxWait, send update v2 body",
  ],
  ["closed", written(note(2, { body: "oat milk" })), "closed", ""],

  // the server does not answer
  ["sending", unreachable, "backoff", "storeDraft, scheduleRetry 0"],
  ["sending again", unreachable, "backoff", "storeDraft, scheduleRetry 1"],
  ["sending", offline, "backoff", "storeDraft, scheduleRetry 0"],
  ["trashing", unreachable, "backoff", "storeDraft, scheduleRetry 0"],
  ["backoff", retry, "sending", "restartMaxWait, send update v1 body"],
  ["synced", retry, "synced", ""],
  ["closed", unreachable, "closed", ""],
  ["closed", retry, "closed", ""],

  // the server rejects it
  ["sending", rejected("validation_failed"), "refused", "storeDraft"],
  ["sending", rejected(""), "refused", "storeDraft"],
  ["sending", rejected("auth_required"), "refused", "storeDraft"],
  ["sending", rejected("not_found"), "refused", "storeDraft"],
  ["sending", rejected("quota_exceeded"), "refused", "scheduleSave in 60000 ms, storeDraft"],
  ["trashing", rejected("not_found"), "synced", DROPPED],
  ["trashing, to be restored", rejected("not_found"), "refused", DROPPED],
  ["restoring", rejected("not_found"), "refused", DROPPED],
  ["restoring, typed", rejected("not_found"), "refused", "storeDraft"],
  ["closed", rejected("not_found"), "closed", ""],

  // it has another version
  [
    ...(["sending", rejected("version_conflict", note(2, { title: "Shopping" })), "sending"] as const),
    "storeDraft, scheduleSave, restartMaxWait, send update v2 body",
  ],
  ["sending", rejected("version_conflict", soy), "conflict", "storeDraft"],
  ["sending", rejected("version_conflict", note(2, { body: "oat milk" })), "synced", DROPPED],
  ["trashing", rejected("version_conflict", soy), "synced", `announceStayed v2, ${DROPPED}`],
  [
    ...(["restoring", rejected("version_conflict", note(3, { deleted_at: LATER })), "sending"] as const),
    "storeDraft, scheduleSave, restartMaxWait, send restore v3",
  ],
  [
    ...([
      "restoring",
      rejected("version_conflict", note(3, { deleted_at: LATER, body: "soy milk" })),
      "synced",
    ] as const),
    `announceStayed v3, ${DROPPED}`,
  ],

  // another version arrives
  ["synced", arrived(soy), "synced", DROPPED],
  ["synced", arrived(note(1, { body: "the same version" })), "synced", ""],
  ["waiting", arrived(note(2, { title: "Shopping" })), "waiting", EDITED],
  ["waiting", arrived(soy), "conflict", "storeDraft"],
  ["waiting", arrived(note(2, { body: "oat milk" })), "synced", DROPPED],
  ["refused", arrived(note(2, { title: "Shopping" })), "waiting", EDITED],
  ["conflict", arrived(note(3, { body: "milk\neggs" })), "waiting", EDITED],
  ["conflict", arrived(note(3, { body: "rice milk" })), "conflict", "storeDraft"],
  ["conflict, taken back", arrived(note(3, { body: "rice milk" })), "synced", DROPPED],
  ["sending", arrived(soy), "sending", ""],
  ["backoff", arrived(soy), "backoff", ""],
  ["to be trashed", arrived(soy), "synced", `announceStayed v2, ${DROPPED}`],
  ["to be restored", arrived(note(2)), "synced", DROPPED],
  ["closed", arrived(soy), "closed", ""],

  // it is moved
  ["new", toTrash, "closed", "stop, dropDraft"],
  ["new, typed", toTrash, "closed", "stop, dropDraft"],
  ["creating", toTrash, "sending", MOVED],
  ["synced", toTrash, "waiting", MOVED],
  ["to be trashed", toList, "synced", DROPPED],
  ["trashing", toList, "sending", MOVED],
  ["in the trash", toList, "waiting", MOVED],
  ["to be restored", toTrash, "synced", DROPPED],
  ["restoring", toTrash, "sending", MOVED],
  ["conflict", toTrash, "waiting", MOVED],
  ["closed", toTrash, "closed", ""],

  // someone else has moved it
  ["synced", elsewhere(2), "synced", ""],
  ["waiting", elsewhere(2), "waiting", ""],
  ["sending", elsewhere(2), "sending", ""],

  // a conflict ends
  ["conflict", mine, "waiting", EDITED],
  ["conflict", { type: "mergeKept", fields: { title: "List", body: "oat and soy milk" } }, "waiting", EDITED],
  ["conflict", theirs, "synced", DROPPED],
  ["waiting", mine, "waiting", ""],
  ["waiting", theirs, "waiting", ""],

  // the page goes away
  ["synced", leaving, "synced", ""],
  ["waiting", leaving, "waiting", "storeDraft now, sendCopy update v1 body"],
  ["new, typed", leaving, "waiting", "storeDraft now, sendCopy create title+body+tags+properties"],
  ["sending, typed since", leaving, "sending", "storeDraft now, sendCopy update v1 body"],
  ["backoff", leaving, "backoff", "storeDraft now, sendCopy update v1 body"],
  ["to be trashed", leaving, "waiting", "storeDraft now"],
  ["restoring, typed", leaving, "sending", "storeDraft now"],
  ["conflict", leaving, "conflict", ""],
  ["closed", leaving, "closed", ""],

  // it ends
  ["backoff", closed, "closed", "stop"],
  ["conflict", closed, "closed", "stop"],
  ["waiting", discarded, "closed", "stop, dropDraft"],
];

describe("a step", () => {
  it.each(TABLE.map(([from, event, to, does]) => ({ from, event, to, does })))(
    "$from, $event.type → $to: $does",
    ({ from, event, to, does }) => {
      const next = after(STATES[from], event);
      expect([next.phase.name, effects.map(brief).join(", ")]).toEqual([to, does]);
    },
  );

  it("does not change the state before it", () => {
    const before = sending;
    const copy = structuredClone(before);
    after(before, typed({ body: "eggs" }), written(note(2, { body: "oat milk" })), closed);
    expect(before).toEqual(copy);
  });
});

describe("the state for the person", () => {
  it.each<[keyof typeof STATES, ReturnType<typeof saveState>, ReturnType<typeof heldReason>]>([
    ["new", "saved", null],
    ["synced", "saved", null],
    ["waiting", "waiting", null],
    ["sending", "saving", null],
    ["sending, typed since", "waiting", null],
    ["sending again", "offline", "offline"],
    ["backoff", "offline", "offline"],
    ["backoff, typed since", "waiting", "offline"],
    ["backoff of a new note, taken back", "saved", null],
    ["conflict", "conflict", "conflict"],
    ["refused", "refused", "refused"],
    ["full", "refused", "refused"],
    ["full, typed since", "waiting", "refused"],
    ["trashing", "saving", null],
    ["closed", "saved", null],
  ])("%s: %s, held: %s", (from, state, held) => {
    expect([saveState(STATES[from]), heldReason(STATES[from])]).toEqual([state, held]);
  });
});

/** What the next page makes of the draft that is stored in this state. */
const reopened = (sync: NoteSync) =>
  initialSync(null, { ...toStored(sync.draft, heldReason(sync)), tab: "t" }, key());

describe("a conflict", () => {
  it("holds both texts until the person chooses, also after a reload", () => {
    const { phase, draft } = conflict;
    expect([draft.fields.body, phase]).toEqual(["oat milk", { name: "conflict", theirs: soy }]);
    const again = after(reopened(conflict), due, rejected("version_conflict", soy));
    expect([again.draft.fields.body, again.phase]).toEqual([draft.fields.body, phase]);
  });

  it("ends with our text on theirs, with both, or with theirs", () => {
    const bodies = [
      mine,
      { type: "mergeKept", fields: { title: "List", body: "both" } } as const,
      theirs,
    ].map((choice) => after(conflict, choice).draft);
    expect(bodies.map(({ base, fields }) => [base?.version, fields.body])).toEqual([
      [2, "oat milk"],
      [2, "both"],
      [2, "soy milk"],
    ]);
  });

  it("keeps the other fields that only one side changed", () => {
    const tagged = note(2, { body: "soy milk", tags: ["food"] });
    const both = after(waiting, typed({ pinned: true }), arrived(tagged), {
      type: "mergeKept",
      fields: { title: "List", body: "both" },
    });
    expect(both.draft.fields).toMatchObject({ body: "both", tags: ["food"], pinned: true });
  });

  it("ends when a newer version arrives after the changes were undone", () => {
    const next = after(conflict, typed({ body: "milk" }), arrived(note(3, { body: "rice milk" })));
    expect([next.phase, next.draft.fields.body]).toEqual([{ name: "synced" }, "rice milk"]);
  });

  it("resolved with theirs leaves a restore to be sent", () => {
    const moved = note(2, { body: "soy milk", deleted_at: AT });
    const inConflict = after(inTrash, typed(), arrived(moved), toList);
    const next = after(inConflict, theirs);
    expect([inConflict.phase.name, next.phase.name, next.gone]).toEqual(["conflict", "waiting", false]);
    expect(effects.map(brief)).toContain("scheduleSave");
  });
});

describe("a request without an answer", () => {
  it("is retried with the same key and version, also after a reload", () => {
    const later = after(STATES["sending, typed since"], arrived(soy), unreachable);
    for (const sync of [after(later, retry), after(reopened(later), due)])
      expect(sync.phase).toMatchObject({ request: (sending.phase as { request: object }).request });
  });

  it("for a new note that was never sent is built again", () => {
    const next = after(newTyped, due, offline, typed({ body: "oat milk, eggs" }), retry);
    expect(next.phase).toMatchObject({ request: { key: "draft", fields: { body: "oat milk, eggs" } } });
  });

  it("for a new note that may have been sent is retried unchanged", () => {
    const sent = after(newTyped, due, unreachable, retry, offline);
    expect(after(sent, toTrash).phase.name).toBe("backoff");
    expect(after(reopened(sent), due, offline, toTrash).phase.name).toBe("backoff");
  });

  it("for a new note is dropped if the text is undone before it was sent", () => {
    const next = after(newTyped, due, typed({ body: "" }), offline);
    expect([next.phase.name, effects.map(brief)]).toEqual(["synced", ["dropDraft", "announceSettled"]]);
  });

  it("is dropped if its note is restored in another version", () => {
    // it was rejected without being done; the note was trashed, restored and written elsewhere meanwhile
    const refused = after(sending, rejected("auth_required"), elsewhere(2), toList, due);
    const next = after(refused, written(note(4, { body: "milk\neggs" })));
    expect(next.phase).toMatchObject({
      request: { kind: "update", version: 4, fields: { body: "oat milk\neggs" } },
    });
  });
});

describe("a full account", () => {
  it("lets a note go into the trash without the text that exceeds the quota", () => {
    const next = after(STATES.full, toTrash, due);
    expect(next.phase).toMatchObject({ request: { kind: "trash", version: 1 } });
    expect(next.draft.fields.body).toBe("oat milk");
  });

  it("no longer matters once the rejected text is undone, even while it is in flight", () => {
    const next = after(sending, typed({ body: "milk" }), rejected("quota_exceeded"));
    expect([next.phase.name, next.full, next.error]).toEqual(["synced", false, null]);
  });
});

describe("a page that closes", () => {
  it("sends no write while a move is in flight", () => {
    after(trashing, typed(), leaving);
    expect(effects.map(brief)).toEqual(["storeDraft now"]);
  });

  it("sends no write that is too large for a keepalive request", () => {
    after(synced, typed({ body: "x".repeat(30_000) }), leaving);
    expect(effects.map(brief)).toEqual(["storeDraft now"]);
  });
});

describe("a move", () => {
  it("is sent after the changes made before it, and before those made after it", () => {
    const back = after(STATES["typed, to be trashed"], due, written(note(2, { body: "oat milk" })), trashed);
    expect([back.phase.name, back.gone]).toEqual(["synced", true]);
    const again = after(restoring, typed(), toTrash, written(note(2)));
    expect(again.phase).toMatchObject({ request: { kind: "update", version: 2 } });
    const gone = after(again, written(note(3, { body: "oat milk" })));
    expect(gone.phase).toMatchObject({ request: { kind: "trash", version: 3 } });
  });

  it("first retries an earlier move that may have reached the server, before new text is written", () => {
    const next = after(trashing, toList, typed(), unreachable, retry);
    expect(next.phase).toMatchObject({ request: { kind: "trash", version: 1 } });
  });

  it("out of the trash is sent for changed text, although the note is deleted again", () => {
    const next = after(toBeRestored, typed(), toTrash, due);
    expect(next.phase).toMatchObject({ request: { kind: "restore" } });
    const wrote = after(next, written(note(2)), written(note(3, { body: "oat milk" })));
    expect(wrote.phase).toMatchObject({ request: { kind: "trash", version: 3 } });
  });

  it("that was dropped for a newer version leaves no draft", () => {
    const next = after(toBeTrashed, arrived(soy));
    expect([next.phase.name, next.gone]).toEqual(["synced", false]);
    expect(effects.map(brief)).toContain("dropDraft");
  });
});
