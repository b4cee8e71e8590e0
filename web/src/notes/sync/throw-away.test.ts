import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { Note } from "../../api/types.ts";
import { FakeDraftStorage, Server } from "./fake-server.ts";
import { OpenNote } from "./open-note.svelte.ts";

let server: Server;
let drafts: FakeDraftStorage;
const saved = vi.fn();
const trashed = vi.fn();
const stayed = vi.fn();
const events = () => ({ saved, trashed, stayed, drafts });
const opened = (fields: Partial<Note>) => new OpenNote(events(), server.change({ title: "List", ...fields }));
/** The same note in the next tab, after this one is gone. */
const next = (note: OpenNote) => {
  note.close();
  return new OpenNote(events(), drafts.only.base, drafts.only);
};
const wait = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const there = (online: boolean) => {
  server.online = online;
  vi.stubGlobal("navigator", { onLine: online });
};

beforeEach(() => {
  vi.useFakeTimers();
  server = new Server();
  drafts = new FakeDraftStorage();
  for (const told of [saved, trashed, stayed]) told.mockReset();
  vi.stubGlobal("fetch", server.answer);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("a note that is deleted", () => {
  it("goes into the trash after what was typed last", async () => {
    const note = opened({ body: "milk" });
    note.edit({ body: "milk, eggs" });
    expect(note.throwAway()).toBe(true);
    await note.flush();
    expect(server.requests).toEqual(["PATCH /api/notes/n1", "DELETE /api/notes/n1"]);
    expect(server.note).toMatchObject({ body: "milk, eggs", version: 3 });
    expect(trashed).toHaveBeenCalledExactlyOnceWith("n1");
    expect([note.gone, note.going, note.dirty]).toEqual([true, false, false]);
    expect(drafts.kept.size).toBe(0);
  });

  it("without the server goes there once that is back, also from another tab", async () => {
    const note = opened({ body: "milk" });
    there(false);
    note.edit({ body: "milk, eggs" });
    await wait(600);
    note.throwAway();
    await wait(600);
    expect([note.state, note.going]).toEqual(["offline", true]);
    there(true);
    const later = next(note);
    expect([later.gone, later.going]).toEqual([true, true]);
    await later.flush();
    expect(server.note).toMatchObject({ body: "milk, eggs", deleted_at: "2026-01-02T00:00:00Z" });
    expect(drafts.kept.size).toBe(0);
  });

  it("is deleted once, though the answer was lost", async () => {
    const note = opened({});
    server.lost = true;
    note.throwAway();
    await wait(600);
    note.arrived(server.note as Note); // heard over the WebSocket
    server.lost = false;
    const later = next(note);
    await later.flush();
    expect(server.note?.version).toBe(2);
    expect([later.gone, later.dirty, stayed.mock.calls.length]).toEqual([true, false, 0]);
  });

  it("stays where someone has changed it since, and the person is told", async () => {
    for (const heard of [true, false]) {
      stayed.mockReset();
      const note = opened({ body: "milk" });
      there(false);
      note.throwAway();
      await wait(600);
      there(true);
      const theirs = server.change({ body: "milk, eggs" });
      const later = next(note);
      if (heard) later.arrived(theirs);
      await later.flush();
      expect(server.note?.deleted_at).toBeUndefined();
      expect(stayed).toHaveBeenCalledExactlyOnceWith(theirs);
      expect(later).toMatchObject({ gone: false, going: false, body: "milk, eggs", state: "saved" });
      expect(drafts.kept.size).toBe(0);
    }
  });

  it("stays with the words that do not fit together", async () => {
    const note = opened({ body: "milk" });
    there(false);
    note.edit({ body: "oat milk" });
    note.throwAway();
    await wait(600);
    there(true);
    server.change({ body: "soy milk" });
    const later = next(note);
    await later.flush();
    expect(later).toMatchObject({ gone: false, state: "conflict", body: "oat milk" });
    expect(stayed).toHaveBeenCalledOnce();
    expect(drafts.kept.size).toBe(1);
  });

  it("never reaches the server where it never did", async () => {
    there(false);
    const note = new OpenNote(events());
    note.edit({ title: "Secret" });
    await wait(3000);
    expect(note.state).toBe("offline");
    expect(note.throwAway()).toBe(false);
    there(true);
    await wait(20_000);
    expect(server.made).toBe(0);
    expect(drafts.kept.size).toBe(0);
  });

  it("is made and then deleted where it may have reached the server", async () => {
    const note = new OpenNote(events());
    server.lost = true;
    note.edit({ title: "Once" });
    await wait(600);
    expect(note.throwAway()).toBe(true);
    server.lost = false;
    await next(note).flush();
    expect([server.made, Boolean(server.note?.deleted_at)]).toEqual([1, true]);
  });

  it("is not thrown away for want of a title", async () => {
    const note = opened({ body: "milk" });
    note.edit({ title: " ", body: "milk, eggs" });
    note.throwAway();
    await note.flush();
    expect(server.note).toMatchObject({ title: "List", body: "milk, eggs" });
    expect(server.note?.deleted_at).toBeTruthy();
  });
});

describe("a note that comes back", () => {
  it("just stays where nobody was told that it was to go", async () => {
    const note = opened({});
    note.throwAway();
    note.bringBack();
    await wait(3000);
    expect(server.requests).toEqual([]);
    expect([note.gone, note.dirty, drafts.kept.size]).toEqual([false, false, 0]);
  });

  it("without the server comes back once that is there, before what is typed into it", async () => {
    const note = opened({ body: "milk", deleted_at: "2026-01-02T00:00:00Z" });
    there(false);
    note.bringBack();
    note.edit({ body: "milk, eggs" });
    await wait(600);
    there(true);
    server.requests = [];
    await next(note).flush();
    expect(server.requests).toEqual(["POST /api/notes/n1/restore", "PATCH /api/notes/n1"]);
    expect(server.note).toMatchObject({ body: "milk, eggs", deleted_at: null });
    expect(drafts.kept.size).toBe(0);
  });

  it("comes back as it was seen, though it has been out of the trash and in it since", async () => {
    const note = opened({ body: "milk", deleted_at: "2026-01-02T00:00:00Z" });
    server.change({ deleted_at: null });
    server.change({ deleted_at: "2026-01-03T00:00:00Z" });
    note.bringBack();
    await wait(600);
    expect(server.requests).toEqual(["POST /api/notes/n1/restore", "POST /api/notes/n1/restore"]);
    expect([server.note?.deleted_at, note.gone, note.dirty]).toEqual([null, false, false]);
    expect(stayed).not.toHaveBeenCalled();
  });

  it("stays in the trash where it was changed since, and the person is told", async () => {
    const note = opened({ body: "milk", deleted_at: "2026-01-02T00:00:00Z" });
    const theirs = server.change({ body: "soy milk" });
    note.bringBack();
    await wait(600);
    expect(server.note).toBe(theirs);
    expect(stayed).toHaveBeenCalledExactlyOnceWith(theirs);
    expect(note).toMatchObject({ gone: true, dirty: false, body: "soy milk", state: "saved" });
    note.bringBack();
    await wait(600);
    expect([server.note?.deleted_at, note.gone]).toEqual([null, false]);
  });

  it("that someone else has put there comes back with one request", async () => {
    const note = opened({});
    const theirs = server.change({ deleted_at: "2026-01-02T00:00:00Z" });
    expect(note.deletedElsewhere(theirs.version)).toBe(true);
    expect([note.gone, note.going]).toEqual([true, false]);
    note.bringBack();
    await wait(600);
    expect(server.requests).toEqual(["POST /api/notes/n1/restore"]);
    expect([server.note?.deleted_at, note.gone, note.dirty]).toEqual([null, false, false]);
  });

  it("comes back though nobody knows whether it had gone", async () => {
    const note = opened({});
    server.lost = true;
    note.throwAway();
    await wait(600);
    note.bringBack();
    server.lost = false;
    await wait(20_000);
    expect(server.note?.deleted_at).toBeNull();
    expect([note.gone, note.dirty]).toEqual([false, false]);
  });
});

describe("whoever thinks better of it while the answer is on its way", () => {
  const held = () => {
    let answer = () => {};
    server.held = new Promise<void>((done) => (answer = done));
    return () => answer();
  };

  it("has a deleted note back", async () => {
    for (const again of [false, true]) {
      const note = opened({ body: "milk", deleted_at: null });
      server.requests = [];
      const arrive = held();
      note.throwAway();
      await wait(600);
      expect(server.requests).toEqual(["DELETE /api/notes/n1"]);
      note.bringBack();
      if (again) {
        note.throwAway();
        note.bringBack();
      }
      note.arrived(server.note as Note); // heard over the WebSocket
      arrive();
      await wait(3000);
      expect(server.requests).toEqual(["DELETE /api/notes/n1", "POST /api/notes/n1/restore"]);
      expect(server.note).toMatchObject({ body: "milk", deleted_at: null });
      expect([note.gone, note.dirty, drafts.kept.size]).toEqual([false, false, 0]);
    }
    expect(stayed).not.toHaveBeenCalled();
  });

  it("has a note in the trash that was coming back", async () => {
    for (const typed of [false, true]) {
      trashed.mockReset();
      const note = opened({ body: "milk", deleted_at: "2026-01-02T00:00:00Z" });
      const arrive = held();
      note.bringBack();
      await wait(600);
      if (typed) note.edit({ body: "oat milk" });
      note.throwAway();
      note.arrived(server.note as Note); // heard over the WebSocket
      arrive();
      await wait(0);
      expect(note.gone).toBe(true);
      await wait(3000);
      expect(server.note?.deleted_at).toBeTruthy();
      expect(server.note?.body).toBe(typed ? "oat milk" : "milk");
      expect(trashed).toHaveBeenCalledExactlyOnceWith("n1");
      expect([note.gone, note.dirty, drafts.kept.size]).toEqual([true, false, 0]);
    }
    expect(stayed).not.toHaveBeenCalled();
  });

  it("is told where it is gone for good", async () => {
    const note = opened({ body: "milk" });
    server.note = null;
    const arrive = held();
    note.throwAway();
    await wait(600);
    note.bringBack();
    arrive();
    await wait(3000);
    expect(note).toMatchObject({ gone: true, state: "refused", error: "This note was deleted for good." });
  });
});
