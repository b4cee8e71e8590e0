import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { NoteSummary } from "../../api/types.ts";
import { Titles } from "./titles.svelte.ts";

const note = (title: string, more: Partial<NoteSummary> = {}) => ({ id: `id of ${title}`, title, ...more });
const requests: string[] = [];
let elsewhere: ReturnType<typeof note>[] = [];

beforeEach(() => {
  requests.length = 0;
  elsewhere = [];
  vi.stubGlobal("fetch", (path: string, init: RequestInit = {}) => {
    const url = new URL(path, "http://here");
    const asked = init.body
      ? (JSON.parse(init.body as string) as { links: string[]; source_id: string })
      : null;
    requests.push(asked ? `${asked.links.join()} in ${asked.source_id}` : path);
    const notes = asked?.links.map((link) => elsewhere.find(({ title }) => link === `[[${title}]]`) ?? null);
    const results = elsewhere.map((one) => ({ note: one, snippet: "" }));
    return Promise.resolve(Response.json(url.pathname.endsWith("/search") ? { results } : { notes }));
  });
});

afterEach(() => vi.unstubAllGlobals());

const titles = (...here: ReturnType<typeof note>[]) =>
  new Titles({ list: here as NoteSummary[], revision: 0 });

describe("a title", () => {
  it("is found among the loaded notes, ignoring case and accents", async () => {
    expect(await titles(note("Crème brûlée")).find("creme Brulee")).toBe("id of Crème brûlée");
    expect(requests).toEqual([]);
  });

  it("is requested once, for the note that has the link", async () => {
    elsewhere = [note("Old plans")];
    const known = new Titles({ list: [], revision: 0 }, () => "here");
    expect(await Promise.all([known.find("Old plans"), known.find("old plans")])).toEqual([
      "id of Old plans",
      "id of Old plans",
    ]);
    expect(requests).toEqual(["[[Old plans]] in here"]);
  });

  it("is requested where several loaded notes have it", async () => {
    elsewhere = [{ id: "nearest", title: "Daily" }];
    expect(await titles(note("Daily"), note("daily")).find("Daily")).toBe("nearest");
  });

  it("is not found in the trash", async () => {
    expect(await titles(note("Gone", { deleted_at: "2026-01-01T00:00:00Z" })).find("Gone")).toBeNull();
  });

  it("is missing only once the server has said so", async () => {
    const known = titles();
    expect(known.known("Nowhere")).toBeUndefined();
    await known.find("Nowhere");
    expect(known.known("Nowhere")).toBeNull();
  });
});

describe("completions", () => {
  const signal = new AbortController().signal;

  it("contain the typed words; those that begin with them come first", async () => {
    elsewhere = [note("Shopping for the garden"), note("Only its text has the word")];
    const offered = titles(note("The garden"), note("Garden in April"), note("Kitchen")).like("gard", signal);
    expect(await offered).toEqual(["Garden in April", "The garden", "Shopping for the garden"]);
  });

  it("are the loaded notes before anything is typed", async () => {
    expect(await titles(note("A"), note("B")).like("", signal)).toEqual(["A", "B"]);
    expect(requests).toEqual([]);
  });
});
