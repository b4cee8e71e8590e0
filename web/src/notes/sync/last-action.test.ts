import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { Note } from "../../api/types.ts";
import { FakeDraftStorage, Server } from "./fake-server.ts";
import { OpenNote } from "./open-note.svelte.ts";

/**
 * The outcome of the requests after an action: answered; applied, but the answer is lost or late; never received; or
 * received much later.
 */
const FATES = ["answered", "lost", "late", "never", "astray"] as const;
type Fate = (typeof FATES)[number];
interface Step {
  fate: Fate;
  /** The tab is closed afterwards, and another one continues. */
  closed: boolean;
}

let server: Server;
let drafts: FakeDraftStorage;
let fate: Fate;
let late: (() => void)[];
let astray: (() => Promise<unknown>)[];
const stayed = vi.fn();
const events = () => ({ saved: vi.fn(), stayed, drafts });

const wire = (path: string | URL | Request, init: RequestInit = {}) => {
  if (fate === "astray") {
    astray.push(() => server.answer(path, init));
    return Promise.reject(new TypeError("network"));
  }
  server.online = fate !== "never";
  server.lost = fate === "lost";
  if (fate === "late") server.held = new Promise<void>((done) => late.push(done));
  return server.answer(path, init);
};

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("fetch", wire);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** Deletes, restores, deletes … with the outcome of each step; then the network recovers. */
async function play(steps: Step[], begins: { deleted: boolean; typing: boolean }): Promise<OpenNote> {
  [server, drafts, late, astray, fate] = [new Server(), new FakeDraftStorage(), [], [], "answered"];
  stayed.mockReset();
  const deleted_at = begins.deleted ? "2026-01-01T00:00:00Z" : null;
  let note = new OpenNote(events(), server.change({ title: "List", body: "0", deleted_at }));
  for (const step of steps) {
    fate = step.fate;
    if (note.gone) note.bringBack();
    else note.throwAway();
    if (begins.typing && !note.gone) note.edit({ body: `${note.body}+` });
    await vi.advanceTimersByTimeAsync(700);
    if (!step.closed) continue;
    const draft = [...drafts.stored.values()][0];
    note.flushOnLeave();
    note.close();
    note = draft
      ? new OpenNote(events(), draft.base, drafts.only)
      : new OpenNote(events(), server.note as Note);
  }
  fate = "answered";
  for (const answer of late) answer();
  void note.flush();
  await vi.advanceTimersByTimeAsync(60_000);
  for (const arrive of astray) await arrive();
  return note;
}

/** All sequences of that length; if there are more than 500, every seventh. */
function sequences(length: number, closing: boolean): Step[][] {
  let all: Step[][] = [[]];
  const next = FATES.flatMap((fate) =>
    (closing ? [false, true] : [false]).map((closed) => ({ fate, closed })),
  );
  for (let actions = 0; actions < length; actions++)
    all = all.flatMap((before) => next.map((step) => [...before, step]));
  return all.length > 500 ? all.filter((_, at) => at % 7 === 0) : all;
}

describe("the last action wins", () => {
  it.each([
    { length: 2, closing: true },
    { length: 3, closing: false },
    { length: 3, closing: true },
    { length: 4, closing: false },
  ])("over $length actions, with tabs closed: $closing", { timeout: 60_000 }, async (size) => {
    for (const steps of sequences(size.length, size.closing))
      for (const begins of [
        { deleted: false, typing: false },
        { deleted: false, typing: true },
        { deleted: true, typing: true },
      ]) {
        const note = await play(steps, begins);
        const inTrash = (steps.length % 2 === 1) !== begins.deleted;
        const context = JSON.stringify({ begins, steps, requests: server.requests });
        expect(Boolean(server.note?.deleted_at), context).toBe(inTrash);
        expect([note.gone, note.dirty, note.state], context).toEqual([inTrash, false, "saved"]);
        const edits = begins.typing ? Math.floor((steps.length + Number(begins.deleted)) / 2) : 0;
        expect(server.note?.body, context).toBe(`0${"+".repeat(edits)}`);
        expect([drafts.stored.size, stayed.mock.calls.length], context).toEqual([0, 0]);
        note.close();
      }
  });
});
