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
/** The same note in another tab, after this one has closed. */
const next = (note: OpenNote) => {
  note.close();
  return new OpenNote(events(), drafts.only.base, drafts.only);
};
const wait = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const setOnline = (online: boolean) => {
  server.online = online;
  vi.stubGlobal("navigator", { onLine: online });
};

beforeEach(() => {
  vi.useFakeTimers();
  server = new Server();
  drafts = new FakeDraftStorage();
  for (const listener of [saved, trashed, stayed]) listener.mockReset();
  vi.stubGlobal("fetch", server.answer);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("a note that is deleted", () => {
  it("goes into the trash after the last change is saved", async () => {
    const note = opened({ body: "milk" });
    note.edit({ body: "milk, eggs" });
    expect(note.throwAway()).toBe(true);
    await note.flush();
    expect(server.requests).toEqual(["PATCH /api/notes/n1", "DELETE /api/notes/n1"]);
    expect(server.note).toMatchObject({ body: "milk, eggs", version: 3 });
    expect(trashed).toHaveBeenCalledExactlyOnceWith("n1");
    expect([note.gone, note.going, note.dirty]).toEqual([true, false, false]);
    expect(drafts.stored.size).toBe(0);
  });

  it("while offline goes into the trash once the server is back, also from another tab", async () => {
    const note = opened({ body: "milk" });
    setOnline(false);
    note.edit({ body: "milk, eggs" });
    await wait(600);
    note.throwAway();
    await wait(600);
    expect([note.state, note.going]).toEqual(["offline", true]);
    setOnline(true);
    const later = next(note);
    expect([later.gone, later.going]).toEqual([true, true]);
    await later.flush();
    expect(server.note).toMatchObject({ body: "milk, eggs", deleted_at: "2026-01-02T00:00:00Z" });
    expect(drafts.stored.size).toBe(0);
  });

  it("is deleted once although the answer was lost", async () => {
    const note = opened({});
    server.lost = true;
    note.throwAway();
    await wait(600);
    note.arrived(server.note as Note); // as received over the WebSocket
    server.lost = false;
    const later = next(note);
    await later.flush();
    expect(server.note?.version).toBe(2);
    expect([later.gone, later.dirty, stayed.mock.calls.length]).toEqual([true, false, 0]);
  });

  it("stays if someone changed it since, and the listener is called", async () => {
    for (const received of [true, false]) {
      stayed.mockReset();
      const note = opened({ body: "milk" });
      setOnline(false);
      note.throwAway();
      await wait(600);
      setOnline(true);
      const theirs = server.change({ body: "milk, eggs" });
      const later = next(note);
      if (received) later.arrived(theirs);
      await later.flush();
      expect(server.note?.deleted_at).toBeUndefined();
      expect(stayed).toHaveBeenCalledExactlyOnceWith(theirs);
      expect(later).toMatchObject({ gone: false, going: false, body: "milk, eggs", state: "saved" });
      expect(drafts.stored.size).toBe(0);
    }
  });

  it("stays if the unsaved text conflicts with a newer version", async () => {
    const note = opened({ body: "milk" });
    setOnline(false);
    note.edit({ body: "oat milk" });
    note.throwAway();
    await wait(600);
    setOnline(true);
    server.change({ body: "soy milk" });
    const later = next(note);
    await later.flush();
    expect(later).toMatchObject({ gone: false, state: "conflict", body: "oat milk" });
    expect(stayed).toHaveBeenCalledOnce();
    expect(drafts.stored.size).toBe(1);
  });

  it("is never sent if it was not created at the server", async () => {
    setOnline(false);
    const note = new OpenNote(events());
    note.edit({ title: "Secret" });
    await wait(3000);
    expect(note.state).toBe("offline");
    expect(note.throwAway()).toBe(false);
    setOnline(true);
    await wait(20_000);
    expect(server.created).toBe(0);
    expect(drafts.stored.size).toBe(0);
  });

  it("is created and then deleted if the server may have it", async () => {
    const note = new OpenNote(events());
    server.lost = true;
    note.edit({ title: "Once" });
    await wait(600);
    expect(note.throwAway()).toBe(true);
    server.lost = false;
    await next(note).flush();
    expect([server.created, Boolean(server.note?.deleted_at)]).toEqual([1, true]);
  });

  it("is deleted without its invalid title", async () => {
    const note = opened({ body: "milk" });
    note.edit({ title: " ", body: "milk, eggs" });
    note.throwAway();
    await note.flush();
    expect(server.note).toMatchObject({ title: "List", body: "milk, eggs" });
    expect(server.note?.deleted_at).toBeTruthy();
  });
});

describe("a note that is restored", () => {
  it("stays without a request if its deletion was not sent", async () => {
    const note = opened({});
    note.throwAway();
    note.bringBack();
    await wait(3000);
    expect(server.requests).toEqual([]);
    expect([note.gone, note.dirty, drafts.stored.size]).toEqual([false, false, 0]);
  });

  it("while offline is restored once the server is back, before its changes are saved", async () => {
    const note = opened({ body: "milk", deleted_at: "2026-01-02T00:00:00Z" });
    setOnline(false);
    note.bringBack();
    note.edit({ body: "milk, eggs" });
    await wait(600);
    setOnline(true);
    server.requests = [];
    await next(note).flush();
    expect(server.requests).toEqual(["POST /api/notes/n1/restore", "PATCH /api/notes/n1"]);
    expect(server.note).toMatchObject({ body: "milk, eggs", deleted_at: null });
    expect(drafts.stored.size).toBe(0);
  });

  it("is restored although it has left the trash and returned to it since", async () => {
    const note = opened({ body: "milk", deleted_at: "2026-01-02T00:00:00Z" });
    server.change({ deleted_at: null });
    server.change({ deleted_at: "2026-01-03T00:00:00Z" });
    note.bringBack();
    await wait(600);
    expect(server.requests).toEqual(["POST /api/notes/n1/restore", "POST /api/notes/n1/restore"]);
    expect([server.note?.deleted_at, note.gone, note.dirty]).toEqual([null, false, false]);
    expect(stayed).not.toHaveBeenCalled();
  });

  it("stays in the trash if it was changed since, and the listener is called", async () => {
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

  it("after someone else deleted it comes back with one request", async () => {
    const note = opened({});
    const theirs = server.change({ deleted_at: "2026-01-02T00:00:00Z" });
    expect(note.deletedElsewhere(theirs.version)).toBe(true);
    expect([note.gone, note.going]).toEqual([true, false]);
    note.bringBack();
    await wait(600);
    expect(server.requests).toEqual(["POST /api/notes/n1/restore"]);
    expect([server.note?.deleted_at, note.gone, note.dirty]).toEqual([null, false, false]);
  });

  it("comes back although the outcome of its deletion is unknown", async () => {
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

describe("a change of mind while the request is in flight", () => {
  const held = () => {
    let answer = () => {};
    server.held = new Promise<void>((done) => (answer = done));
    return () => answer();
  };

  it("restores a deleted note", async () => {
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
      note.arrived(server.note as Note); // as received over the WebSocket
      arrive();
      await wait(3000);
      expect(server.requests).toEqual(["DELETE /api/notes/n1", "POST /api/notes/n1/restore"]);
      expect(server.note).toMatchObject({ body: "milk", deleted_at: null });
      expect([note.gone, note.dirty, drafts.stored.size]).toEqual([false, false, 0]);
    }
    expect(stayed).not.toHaveBeenCalled();
  });

  it("deletes a note that was being restored", async () => {
    for (const typed of [false, true]) {
      trashed.mockReset();
      const note = opened({ body: "milk", deleted_at: "2026-01-02T00:00:00Z" });
      const arrive = held();
      note.bringBack();
      await wait(600);
      if (typed) note.edit({ body: "oat milk" });
      note.throwAway();
      note.arrived(server.note as Note); // as received over the WebSocket
      arrive();
      await wait(0);
      expect(note.gone).toBe(true);
      await wait(3000);
      expect(server.note?.deleted_at).toBeTruthy();
      expect(server.note?.body).toBe(typed ? "oat milk" : "milk");
      expect(trashed).toHaveBeenCalledExactlyOnceWith("n1");
      expect([note.gone, note.dirty, drafts.stored.size]).toEqual([true, false, 0]);
    }
    expect(stayed).not.toHaveBeenCalled();
  });

  it("reports that the note was deleted permanently", async () => {
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
