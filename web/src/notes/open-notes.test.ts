import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { Server } from "./sync/fake-server.ts";
import { OpenNotes } from "./open-notes.svelte.ts";
import { OpenNote } from "./sync/open-note.svelte.ts";

let server: Server;
let openNotes: OpenNotes;
const stuck = vi.fn();

beforeEach(() => {
  vi.useFakeTimers();
  server = new Server();
  openNotes = new OpenNotes(stuck);
  stuck.mockReset();
  vi.stubGlobal("fetch", server.answer);
});

afterEach(() => {
  openNotes.stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** A note that was closed with an unresolved conflict. */
async function leftInConflict(): Promise<OpenNote> {
  const events = { saved: vi.fn(), settled: () => openNotes.settled(note) };
  const note: OpenNote = new OpenNote(events, server.change({ title: "List", body: "milk" }));
  openNotes.setCurrent(note);
  server.change({ body: "soy milk" });
  note.edit({ body: "oat milk" });
  await vi.advanceTimersByTimeAsync(600);
  openNotes.leave();
  openNotes.current = null;
  await vi.advanceTimersByTimeAsync(0);
  return note;
}

describe("a note that was closed while its restore was pending", () => {
  it("stays, and is reported as stuck, when it can no longer be restored", async () => {
    const events = { saved: vi.fn(), settled: () => openNotes.settled(note) };
    const gone = server.change({ title: "List", body: "milk", deleted_at: "2026-01-02T00:00:00Z" });
    const note: OpenNote = new OpenNote(events, gone);
    openNotes.setCurrent(note);
    server.online = false;
    note.bringBack();
    await vi.advanceTimersByTimeAsync(600);
    openNotes.leave();
    openNotes.current = null;
    server.note = null;
    server.online = true;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(stuck).toHaveBeenCalledExactlyOnceWith(note);
    expect(note.error).toBe("This note was deleted for good.");
  });
});

describe("a note that was closed with a conflict", () => {
  it("stays, and is reported as stuck", async () => {
    const note = await leftInConflict();
    expect(stuck).toHaveBeenCalledExactlyOnceWith(note);
    expect([openNotes.all, openNotes.waiting]).toEqual([[note], [note]]);
  });

  it("is released once the other version no longer conflicts and the note is saved", async () => {
    const note = await leftInConflict();
    note.arrived(server.change({ body: "milk\neggs" }));
    await vi.advanceTimersByTimeAsync(600);
    expect(server.note?.body).toBe("oat milk\neggs");
    expect([openNotes.all, openNotes.waiting]).toEqual([[], []]);
  });

  it("is released without a request once someone else has written the same text", async () => {
    const note = await leftInConflict();
    server.requests = [];
    note.arrived(server.change({ body: "oat milk" }));
    await vi.advanceTimersByTimeAsync(600);
    expect([openNotes.all, server.requests]).toEqual([[], []]);
  });
});
