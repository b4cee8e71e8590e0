import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { Note } from "../../api/types.ts";
import { FakeDraftStorage, Server } from "./fake-server.ts";
import { OpenNote } from "./open-note.svelte.ts";

/** What becomes of the requests after a word: answered; done, but the answer is lost, or late; never come, or come much later. */
const FATES = ["answered", "lost", "late", "never", "astray"] as const;
type Fate = (typeof FATES)[number];
interface Step {
  fate: Fate;
  /** The tab is closed after it; another one goes on. */
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

/** Deletes, undoes, deletes … with what comes between; then the net is well again. */
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
    const draft = [...drafts.kept.values()][0];
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

/** Every one of that length; of so many, every seventh. */
function stories(length: number, closing: boolean): Step[][] {
  let all: Step[][] = [[]];
  const next = FATES.flatMap((fate) =>
    (closing ? [false, true] : [false]).map((closed) => ({ fate, closed })),
  );
  for (let words = 0; words < length; words++)
    all = all.flatMap((before) => next.map((step) => [...before, step]));
  return all.length > 500 ? all.filter((_, at) => at % 7 === 0) : all;
}

describe("the last word wins", () => {
  it.each([
    { length: 2, closing: true },
    { length: 3, closing: false },
    { length: 3, closing: true },
    { length: 4, closing: false },
  ])("over $length words, with tabs closed: $closing", { timeout: 60_000 }, async (size) => {
    for (const steps of stories(size.length, size.closing))
      for (const begins of [
        { deleted: false, typing: false },
        { deleted: false, typing: true },
        { deleted: true, typing: true },
      ]) {
        const note = await play(steps, begins);
        const inTrash = (steps.length % 2 === 1) !== begins.deleted;
        const told = JSON.stringify({ begins, steps, requests: server.requests });
        expect(Boolean(server.note?.deleted_at), told).toBe(inTrash);
        expect([note.gone, note.dirty, note.state], told).toEqual([inTrash, false, "saved"]);
        const words = begins.typing ? Math.floor((steps.length + Number(begins.deleted)) / 2) : 0;
        expect(server.note?.body, told).toBe(`0${"+".repeat(words)}`);
        expect([drafts.kept.size, stayed.mock.calls.length], told).toEqual([0, 0]);
        note.close();
      }
  });
});
