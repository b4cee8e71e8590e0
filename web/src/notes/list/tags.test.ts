import { beforeEach, describe, expect, it, vi } from "vitest";

import { rendered, Tags } from "./tags.svelte.ts";

const COUNTED = [
  { tag: "/odd", count: 1 },
  { tag: "Äpfel", count: 2 },
  { tag: "home", count: 1 },
  { tag: "work", count: 3 },
  { tag: "work-shop", count: 1 },
  { tag: "work/invoices", count: 1 },
  { tag: "work/letters", count: 2 },
  { tag: "work/letters/2026", count: 1 },
];

let tags: Tags;

beforeEach(async () => {
  vi.stubGlobal("fetch", () => Promise.resolve(Response.json({ tags: COUNTED, is_complete: true })));
  tags = new Tags();
  await tags.load("notes");
});

const shown = (typed: string) =>
  tags.matching(typed).map(({ name, depth }) => `${"  ".repeat(depth)}${name}`);

describe("the tags", () => {
  it("are nested by their parts", () => {
    expect(shown("").slice(-6)).toEqual(["home", "work", "  invoices", "  letters", "    2026", "work-shop"]);
    expect(shown("")).toHaveLength(COUNTED.length);
    expect(shown("")).toContain("/odd");
  });

  it("are found with what they are nested in, whatever their case and accents", () => {
    expect(shown("2026")).toEqual(["work", "  letters", "    2026"]);
    expect(shown("#APFEL")).toEqual(["Äpfel"]);
    expect(shown("nothing")).toEqual([]);
  });

  it("are shown with the least nested first where there are too many", async () => {
    const many = Array.from({ length: 301 }, (_, number) => ({ tag: `a/${number}`, count: 1 }));
    const counted = [{ tag: "a", count: 301 }, ...many, { tag: "z", count: 1 }];
    vi.stubGlobal("fetch", () => Promise.resolve(Response.json({ tags: counted, is_complete: true })));
    await tags.load("notes");
    expect(rendered(tags.matching("")).map(({ tag }) => tag)).toEqual(["a", "z"]);
    expect(rendered(tags.matching("z"))).toHaveLength(1);
    expect(rendered(tags.matching("a/1")).length).toBeLessThan(150);
  });

  it("complete what was typed, without those that the note has", () => {
    expect(tags.suggested("wo", ["work"])).toEqual([
      "work/letters",
      "work-shop",
      "work/invoices",
      "work/letters/2026",
    ]);
    expect(tags.suggested("lett", [])).toEqual(["work/letters", "work/letters/2026"]);
  });

  it("stay while the server cannot be reached", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("no network")));
    await tags.load("notes");
    expect(shown("home")).toEqual(["home"]);
    expect(tags.error).not.toBeNull();
  });
});
