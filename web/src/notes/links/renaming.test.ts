import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { BLANK } from "../../api/note-fields.ts";
import type { Note, NoteSummary } from "../../api/types.ts";
import type { Notes } from "../list/notes.svelte.ts";
import { OpenNote } from "../sync/open-note.svelte.ts";
import { Renaming } from "./renaming.ts";

/** Notes and the links between them; those in `busy` are changed elsewhere just before they are written. */
class Server {
  notes = new Map<string, Note>();
  busy = new Set<string>();
  broken = new Set<string>();

  put(id: string, title: string, body = ""): Note {
    const version = (this.notes.get(id)?.version ?? 0) + 1;
    const times = { created_at: "", updated_at: "2026-01-01T00:00:00Z" };
    const note = {
      ...BLANK,
      aliases: [],
      id,
      title,
      body,
      version,
      ...times,
      updated_by: { kind: "user" as const },
    };
    this.notes.set(id, note);
    return note;
  }

  answer = (path: string, init: RequestInit = {}): Promise<Response> => {
    const url = new URL(path, "http://here");
    const all = [...this.notes.values()];
    const [, , , id = "", what] = url.pathname.split("/");
    const note = this.notes.get(id);
    if (id === "links") {
      const { links } = JSON.parse(init.body as string) as { links: string[] };
      return this.#json({
        notes: links.map((link) => all.find(({ title }) => link === `[[${title}]]`) ?? null),
      });
    }
    if (what === "backlinks")
      return this.#json({
        notes: all.filter((one) => one.id !== id && one.body.includes(`[[${note?.title}]]`)),
      });
    if (!note) return this.#json({ code: "not_found", detail: "" }, 404);
    if (init.method !== "PATCH") return this.#json(note);
    if (this.broken.has(id)) return this.#json({ code: "quota_exceeded", detail: "There is no room." }, 409);
    if (this.busy.delete(id)) this.put(id, note.title, `${note.body} And more.`);
    const now = this.notes.get(id) as Note;
    if (new Headers(init.headers).get("if-match") !== `"${now.version}"`)
      return this.#json({ code: "version_conflict", detail: "", current: now }, 412);
    const fields = JSON.parse(init.body as string) as Partial<Note>;
    return this.#json(this.put(id, fields.title ?? now.title, fields.body ?? now.body));
  };

  #json(body: unknown, status = 200): Promise<Response> {
    return Promise.resolve(Response.json(body, { status }));
  }
}

let server: Server;
const say = vi.fn<(text: string, action?: { label: string; run: () => void } | null) => void>();
const wrote = vi.fn();
const toastTexts = () => say.mock.calls.map(([text]) => text);
let note: OpenNote;
let renaming: Renaming;

beforeEach(() => {
  say.mockReset();
  wrote.mockReset();
  server = new Server();
  vi.stubGlobal("fetch", server.answer);
  note = new OpenNote({ saved: () => undefined }, server.put("n1", "Old", "I am [[Old]] myself."));
  server.put("n2", "First", "See [[Old]].");
  server.put("n3", "Second", "See [[Old]], not `[[Old]]`.");
  const known = (id: string) => server.notes.get(id);
  const notes = { list: [] as NoteSummary[], revision: 0, known, wrote: () => undefined };
  const parts = {
    notes: notes as unknown as Notes,
    editor: { openNotes: { wrote } },
    toasts: { say, offer: say },
  };
  renaming = new Renaming(parts);
});

afterEach(() => vi.unstubAllGlobals());

async function rename(...titles: string[]): Promise<void> {
  renaming.begin(note);
  for (const title of titles) {
    note.edit({ title });
    await note.flush();
  }
  await renaming.end(note);
}

async function press(): Promise<void> {
  const before = say.mock.calls.length;
  say.mock.lastCall?.[1]?.run();
  await vi.waitFor(() => expect(say.mock.calls.length).toBeGreaterThan(before));
}

describe("renaming a note", () => {
  it("offers to update links, from the title before to the one it ends up with", async () => {
    await rename("Ne", "New");
    expect(toastTexts()).toEqual(["2 notes link to “Old”."]);
    expect(server.notes.get("n2")?.body).toBe("See [[Old]].");
    await press();
    expect(toastTexts().at(-1)).toBe("3 notes link to “New” now.");
    const bodies = ["n1", "n2", "n3"].map((id) => server.notes.get(id)?.body);
    expect(bodies).toEqual(["I am [[New]] myself.", "See [[New]].", "See [[New]], not `[[Old]]`."]);
    expect(wrote).toHaveBeenCalledTimes(3);
  });

  it("applies the change on top of versions written meanwhile", async () => {
    server.busy.add("n2");
    await rename("New");
    await press();
    expect(server.notes.get("n2")?.body).toBe("See [[New]]. And more.");
  });

  it("shows which notes were not changed, and retries those", async () => {
    server.broken.add("n3");
    await rename("New");
    await press();
    expect(toastTexts().at(-1)).toBe("2 notes link to “New” now. Not changed: “Second”. There is no room.");
    server.broken.clear();
    await press();
    expect(toastTexts().at(-1)).toBe("1 note links to “New” now.");
    expect(server.notes.get("n3")?.body).toBe("See [[New]], not `[[Old]]`.");
  });

  it.each([
    ["it is called the same but for case and accents", () => rename("ÓLD")],
    ["no link can be written so", () => rename("a [new] title")],
    ["it went back", () => rename("New", "Old")],
    ["nobody links there", () => (["n1", "n2", "n3"].forEach((id) => server.put(id, id)), rename("New"))],
    ["another note is called as it was", () => (server.put("n4", "Old"), rename("New"))],
  ])("offers nothing if %s", async (_, renamed) => {
    await renamed();
    expect(toastTexts()).toEqual([]);
  });
});
