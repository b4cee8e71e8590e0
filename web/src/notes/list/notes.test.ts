import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { BLANK } from "../../api/note-fields.ts";
import type { ChangedNote, ChangeOp, NoteSummary } from "../../api/types.ts";
import { Notes } from "./notes.svelte.ts";

/** A server's notes and their change feed. */
class Server {
  notes = new Map<string, NoteSummary>();
  feed: ChangedNote[] = [];
  /** Changes up to this cursor have expired. */
  expired = 0;

  write(id: string, fields: Partial<NoteSummary> = {}, op: ChangeOp = "update"): ChangedNote {
    const cursor = this.feed.length + 1;
    const before = this.notes.get(id);
    const version = (before?.version ?? 0) + 1;
    const time = new Date(Date.UTC(2026, 0, 1) + cursor * 1000).toISOString();
    const blank = { ...BLANK, aliases: [], id, title: id, preview: "", created_at: time };
    const note = {
      ...blank,
      ...before,
      updated_by: { kind: "agent" as const },
      ...fields,
      version,
      updated_at: time,
    };
    if (op === "delete") note.deleted_at = time;
    else delete note.deleted_at;
    this.notes.set(id, note);
    const change: ChangedNote = { op, id, version, cursor, actor: { kind: "agent" } };
    this.feed.push(change);
    return change;
  }

  listed(): NoteSummary[] {
    const shown = [...this.notes.values()].filter((note) => !note.deleted_at && !note.archived);
    return shown.sort(
      (a, b) => Number(b.pinned) - Number(a.pinned) || b.updated_at.localeCompare(a.updated_at),
    );
  }

  answer = (path: string | URL | Request): Promise<Response> => {
    const url = new URL(String(path), "http://here");
    if (url.pathname === "/api/notes") return this.#json({ notes: this.listed(), next_cursor: null });
    const since = url.searchParams.get("since");
    if (since === null) return this.#json({ changes: [], cursor: this.feed.length });
    if (Number(since) < this.expired) return this.#json({ code: "cursor_expired", detail: "" }, 410);
    const changes = this.feed.slice(Number(since)).slice(0, 5);
    const now = (change: ChangedNote) => {
      const note = this.notes.get(change.id);
      return note && !note.deleted_at ? { ...change, note } : change;
    };
    return this.#json({ changes: changes.map(now), cursor: changes.at(-1)?.cursor ?? this.feed.length });
  };

  #json(body: unknown, status = 200): Promise<Response> {
    return Promise.resolve(Response.json(body, { status }));
  }
}

let server: Server;
let notes: Notes;
const changed = vi.fn();
const shown = () => notes.list.map((note) => `${note.id} v${note.version}`);
const there = () => server.listed().map((note) => `${note.id} v${note.version}`);

beforeEach(async () => {
  server = new Server();
  changed.mockReset();
  vi.stubGlobal("fetch", vi.fn(server.answer));
  server.write("a");
  server.write("b");
  notes = new Notes({ changed, writing: () => null, moved: () => undefined, going: () => new Set() });
  await notes.load();
});

afterEach(() => {
  notes.stop();
  vi.unstubAllGlobals();
});

describe("the list", () => {
  it("follows changes made elsewhere", async () => {
    notes.feed.receive(server.write("c", {}, "create"));
    notes.feed.receive(server.write("a", { pinned: true }));
    notes.feed.receive(server.write("b", {}, "delete"));
    await notes.feed.catchUp();
    expect(shown()).toEqual(there());
    expect(shown()).toEqual(["a v2", "c v1"]);
    expect(changed).toHaveBeenCalledTimes(3);
  });

  it("catches up over a gap of any length", async () => {
    for (let i = 0; i < 23; i++) server.write(`n${i}`, {}, "create");
    notes.feed.receive(server.write("last", {}, "create"));
    await notes.feed.catchUp();
    expect(shown()).toEqual(there());
    expect(notes.feed.cursor).toBe(server.feed.length);
  });

  it("ignores changes that it has applied already", async () => {
    const change = server.write("a");
    notes.feed.receive(change);
    await notes.feed.catchUp();
    const before = shown();
    notes.feed.receive(change);
    expect(shown()).toEqual(before);
    expect(changed).toHaveBeenCalledTimes(1);
  });

  it("is loaded again when the feed no longer reaches back", async () => {
    server.write("a", {}, "delete");
    server.expired = server.feed.length;
    notes.feed.receive(server.write("c", {}, "create"));
    await notes.feed.catchUp();
    expect(shown()).toEqual(there());
  });

  it("applies changes that are announced while it is loaded again", async () => {
    server.write("a");
    server.expired = server.feed.length;
    vi.mocked(fetch).mockImplementation(async (path) => {
      const answer = await server.answer(path as string);
      // written after the list was read, and announced before the list is shown
      if (String(path).startsWith("/api/notes?")) notes.feed.receive(server.write("late", {}, "create"));
      return answer;
    });
    await notes.feed.catchUp();
    expect(shown()).toEqual(there());
  });

  it("does not retry for ever if it cannot be loaded again", async () => {
    server.expired = server.write("a").cursor;
    vi.mocked(fetch).mockImplementation((path) =>
      String(path).startsWith("/api/notes?")
        ? Promise.resolve(Response.json({ code: "forbidden", detail: "No." }, { status: 403 }))
        : server.answer(path as string),
    );
    notes.feed.receive(server.write("b"));
    await notes.feed.catchUp();
    expect(notes.error).toBe("No.");
  });

  it("sends no request for its own writes, and does not glow for them", () => {
    const change = server.write("a", { preview: "mine" });
    const mine = server.notes.get("a") as NoteSummary;
    notes.wrote({ ...mine, properties: {}, body: "mine" });
    const requests = vi.mocked(fetch).mock.calls.length;
    notes.feed.receive(change);
    expect(vi.mocked(fetch).mock.calls.length).toBe(requests);
    expect(notes.feed.cursor).toBe(change.cursor);
    expect(notes.glow.has("a")).toBe(false);
  });

  it("equals a fresh list after any sequence of writes and lost announcements", async () => {
    let seed = 7;
    const random = (below: number) => (seed = (seed * 48271) % 2147483647) % below;
    for (let round = 0; round < 200; round++) {
      const id = `n${random(8)}`;
      const deleted = Boolean(server.notes.get(id)?.deleted_at);
      const op: ChangeOp = deleted
        ? "restore"
        : ((["update", "update", "delete"] as const)[random(3)] ?? "update");
      const change = server.write(id, { pinned: random(4) === 0, archived: random(6) === 0 }, op);
      if (random(3) > 0) notes.feed.receive(change); // the others are lost
      if (random(10) === 0) await notes.feed.catchUp();
    }
    notes.feed.receive(server.write("end", {}, "create"));
    await notes.feed.catchUp();
    expect(shown()).toEqual(there());
  });
});
