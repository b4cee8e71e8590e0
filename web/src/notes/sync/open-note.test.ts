import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { Note } from "../../api/types.ts";
import type { Draft } from "../../offline/store.ts";
import { FakeDraftStorage, Server } from "./fake-server.ts";
import { OpenNote } from "./open-note.svelte.ts";

let server: Server;
const saved = vi.fn();

beforeEach(() => {
  vi.useFakeTimers();
  server = new Server();
  vi.stubGlobal("fetch", server.answer);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const opened = (fields: Partial<Note>) =>
  new OpenNote({ saved }, server.change({ title: "List", ...fields }));

describe("saving", () => {
  it("waits for a pause in the typing, then sends what changed", async () => {
    const note = opened({ body: "milk" });
    note.edit({ body: "milk, e" });
    note.edit({ body: "milk, eggs" });
    expect(note.state).toBe("waiting");
    expect(server.requests).toEqual([]);
    await vi.advanceTimersByTimeAsync(600);
    expect(server.requests).toEqual(["PATCH /api/notes/n1"]);
    expect(server.note).toMatchObject({ title: "List", body: "milk, eggs", version: 2 });
    expect(note.state).toBe("saved");
  });

  it("saves after the maximum wait while the typing goes on", async () => {
    const note = opened({ body: "" });
    for (let i = 0; i < 12; i++) {
      note.edit({ body: note.body + "x" });
      await vi.advanceTimersByTimeAsync(400);
    }
    expect(server.note?.version).toBeGreaterThan(1);
  });

  it("creates a new note once, then saves what was typed meanwhile", async () => {
    const note = new OpenNote({ saved });
    note.edit({ body: "# First words\nmore" });
    server.meanwhile = () => note.edit({ body: "# First words\nmore and more" });
    await vi.advanceTimersByTimeAsync(2000);
    expect(server.requests).toEqual(["POST /api/notes", "PATCH /api/notes/n1"]);
    expect(server.note).toMatchObject({ title: "First words", body: "# First words\nmore and more" });
    expect(note.id).toBe("n1");
  });

  it("retries while the server is unreachable", async () => {
    const note = opened({ body: "" });
    server.online = false;
    note.edit({ body: "x" });
    await vi.advanceTimersByTimeAsync(3000);
    expect(note.state).toBe("offline");
    server.online = true;
    await vi.advanceTimersByTimeAsync(11_000);
    expect(server.note?.body).toBe("x");
    expect(note.state).toBe("saved");
  });

  it("reports a missing title and keeps the other changes", async () => {
    const note = opened({ body: "" });
    note.edit({ title: "  " });
    await vi.advanceTimersByTimeAsync(600);
    expect(note.state).toBe("refused");
    note.edit({ title: "New" });
    await vi.advanceTimersByTimeAsync(600);
    expect(server.note?.title).toBe("New");
  });
});

describe("a full account", () => {
  it("keeps the changes, and saves them once there is room", async () => {
    const note = opened({ body: "milk" });
    server.full = true;
    note.edit({ body: "milk, eggs" });
    await vi.advanceTimersByTimeAsync(600);
    expect([note.state, note.full, note.held, note.dirty]).toEqual(["refused", true, "refused", true]);
    server.full = false;
    await vi.advanceTimersByTimeAsync(61_000);
    expect(server.note?.body).toBe("milk, eggs");
    expect([note.state, note.full, note.held, note.error]).toEqual(["saved", false, null, null]);
  });

  it("is no longer reported once the rejected text is removed", async () => {
    const note = opened({ body: "milk" });
    server.full = true;
    note.edit({ body: "milk, eggs" });
    await vi.advanceTimersByTimeAsync(600);
    note.edit({ body: "milk" });
    await vi.advanceTimersByTimeAsync(600);
    expect([note.state, note.full, note.error]).toEqual(["saved", false, null]);
    note.edit({ body: "mil" });
    expect(note.held).toBeNull();
  });

  it("is not why a deleted note is held while the server is unreachable", async () => {
    const note = opened({ body: "milk" });
    server.full = true;
    note.edit({ body: "milk, eggs" });
    await vi.advanceTimersByTimeAsync(600);
    server.online = false;
    note.throwAway();
    await vi.advanceTimersByTimeAsync(600);
    expect([note.going, note.held]).toEqual([true, "offline"]);
  });

  it("lets a note be deleted without its rejected text, and keeps the text", async () => {
    for (const known of [true, false]) {
      const note = opened({ body: "milk", deleted_at: null });
      server.full = true;
      note.edit({ body: "milk, eggs" });
      if (known) await vi.advanceTimersByTimeAsync(600);
      note.throwAway();
      await vi.advanceTimersByTimeAsync(600);
      expect(server.note?.deleted_at).toBeTruthy();
      expect([note.gone, note.body, note.dirty]).toEqual([true, "milk, eggs", true]);
      server.full = false;
      note.bringBack();
      await vi.advanceTimersByTimeAsync(600);
      expect(server.note).toMatchObject({ body: "milk, eggs", deleted_at: null });
      expect(note.state).toBe("saved");
    }
  });
});

describe("someone else's change", () => {
  it("is shown when nothing is unsaved here", () => {
    const note = opened({ body: "milk" });
    note.arrived(server.change({ body: "milk, eggs" }));
    expect(note.body).toBe("milk, eggs");
    expect(note.landed).toBe(1);
  });

  it("is ignored when it is older than what is shown", () => {
    const note = opened({ body: "milk" });
    const old = server.note as Note;
    note.arrived(server.change({ body: "milk, eggs" }));
    note.arrived(old);
    expect(note.body).toBe("milk, eggs");
  });

  it("is merged with ours if the two do not touch", async () => {
    const note = opened({ body: "one\ntwo\nthree" });
    server.change({ body: "one\ntwo\nthree\nfour" });
    note.edit({ body: "ONE\ntwo\nthree" });
    await vi.advanceTimersByTimeAsync(2000);
    expect(server.note?.body).toBe("ONE\ntwo\nthree\nfour");
    expect(note.body).toBe("ONE\ntwo\nthree\nfour");
    expect(note.state).toBe("saved");
  });

  it("conflicts with ours at the same place; theirs can be taken", async () => {
    const note = opened({ body: "milk" });
    server.change({ body: "soy milk" });
    note.edit({ body: "oat milk" });
    await vi.advanceTimersByTimeAsync(2000);
    expect(note.state).toBe("conflict");
    expect(note.theirs?.body).toBe("soy milk");
    expect(server.note?.body).toBe("soy milk");
    note.takeTheirs();
    expect(note.body).toBe("soy milk");
    expect(note.state).toBe("saved");
  });

  it("conflicts with ours at the same place; ours can be kept, with what is typed meanwhile", async () => {
    const note = opened({ body: "milk" });
    server.change({ body: "soy milk" });
    note.edit({ body: "oat milk" });
    await vi.advanceTimersByTimeAsync(2000);
    note.edit({ body: "oat milk, 2 l" });
    expect(note.state).toBe("conflict");
    await note.keepMine();
    expect(server.note?.body).toBe("oat milk, 2 l");
    expect(note.state).toBe("saved");
  });

  it("conflicts with ours at the same place; a merged text can be kept, with their other changes", async () => {
    const note = opened({ body: "milk" });
    server.change({ body: "soy milk", tags: ["food"] });
    note.edit({ body: "oat milk", pinned: true });
    await vi.advanceTimersByTimeAsync(2000);
    expect(note.state).toBe("conflict");
    await note.keepMerged({ title: note.title, body: "oat milk\nsoy milk" });
    expect(server.note).toMatchObject({ body: "oat milk\nsoy milk", pinned: true, tags: ["food"] });
    expect(note.state).toBe("saved");
    expect(note.theirs).toBeNull();
  });

  it("that no longer touches ours ends the conflict", async () => {
    const note = opened({ body: "milk" });
    server.change({ body: "soy milk" });
    note.edit({ body: "oat milk" });
    await vi.advanceTimersByTimeAsync(2000);
    expect(note.state).toBe("conflict");
    note.arrived(server.change({ body: "milk\neggs\nbread" }));
    await vi.advanceTimersByTimeAsync(2000);
    expect(note.theirs).toBeNull();
    expect(server.note?.body).toBe("oat milk\neggs\nbread");
  });
});

describe("unsaved changes", () => {
  let drafts: FakeDraftStorage;
  beforeEach(() => (drafts = new FakeDraftStorage()));
  const next = (draft: Draft) => new OpenNote({ saved, drafts }, draft.base, draft);

  it("are stored as they are typed, and dropped when they are saved", async () => {
    const note = new OpenNote({ saved, drafts });
    note.edit({ body: "a" });
    expect(drafts.only.fields.body).toBe("a");
    note.edit({ body: "ab" });
    await vi.advanceTimersByTimeAsync(350);
    expect(drafts.only.fields.body).toBe("ab");
    expect(note.autosave.saved).toBe(true);
    await vi.advanceTimersByTimeAsync(1000);
    expect(note.state).toBe("saved");
    expect(drafts.stored.size).toBe(0);
  });

  it("do not create a second note on the next visit", async () => {
    const note = new OpenNote({ saved, drafts });
    server.lost = true;
    note.edit({ title: "Once", body: "first" });
    await vi.advanceTimersByTimeAsync(600);
    note.edit({ body: "first, second" });
    await vi.advanceTimersByTimeAsync(400);
    note.close();
    server.lost = false;
    const again = next(drafts.only);
    await again.flush();
    expect(server.created).toBe(1);
    expect(server.note).toMatchObject({ title: "Once", body: "first, second" });
    expect(drafts.stored.size).toBe(0);
  });

  it("do not conflict with themselves", async () => {
    const note = new OpenNote({ saved, drafts }, server.change({ title: "List", body: "a" }));
    server.lost = true;
    note.edit({ body: "a b" });
    await vi.advanceTimersByTimeAsync(600);
    expect(server.note?.body).toBe("a b");
    note.arrived(server.note as Note); // as received over the WebSocket
    note.edit({ body: "a b c" });
    await vi.advanceTimersByTimeAsync(400);
    note.close();
    server.lost = false;
    const again = next(drafts.only);
    await again.flush();
    expect(again.state).toBe("saved");
    expect(server.note?.body).toBe("a b c");
  });

  it("are rebased onto newer versions, or conflict with them", async () => {
    for (const [theirs, body, state] of [
      ["one\ntwo\nTHREE", "ONE\ntwo\nTHREE", "saved"],
      ["1\ntwo\nthree", "1\ntwo\nthree", "conflict"],
    ] as const) {
      server.note = null;
      server.online = true;
      const note = new OpenNote({ saved, drafts }, server.change({ title: "T", body: "one\ntwo\nthree" }));
      server.online = false;
      note.edit({ body: "ONE\ntwo\nthree" });
      await vi.advanceTimersByTimeAsync(1000);
      expect(note.state).toBe("offline");
      note.close();
      server.online = true;
      server.change({ body: theirs });
      const again = next(drafts.only);
      await again.flush();
      expect(again.state).toBe(state);
      expect(server.note).toMatchObject({ body });
      expect(drafts.stored.size).toBe(state === "saved" ? 0 : 1);
    }
  });

  it("are sent as the page closes, and again later under the same key", async () => {
    const note = new OpenNote({ saved, drafts });
    note.edit({ title: "Leaving", body: "quick" });
    note.flushOnLeave();
    await vi.advanceTimersByTimeAsync(0);
    expect(server.created).toBe(1);
    await next(drafts.only).flush();
    expect(server.created).toBe(1);
    expect(server.note?.version).toBe(1);
  });

  it("are dropped when the note is discarded", async () => {
    const note = new OpenNote({ saved, drafts }, server.change({ title: "List" }));
    server.online = false;
    note.edit({ body: "x" });
    await vi.advanceTimersByTimeAsync(600);
    note.discard();
    await vi.advanceTimersByTimeAsync(1000);
    expect(drafts.stored.size).toBe(0);
  });
});
