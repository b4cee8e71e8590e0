import "fake-indexeddb/auto";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import type { Note } from "../api/types.ts";
import { BLANK } from "../api/note-fields.ts";
import { summaryOf } from "../api/note-summary.ts";
import { NoteCache } from "./note-cache.ts";
import { deleteDatabase, Store } from "./store.ts";

let store: Store;
let cache: NoteCache;

const note = (number: number, fields: Partial<Note> = {}): Note => ({
  ...BLANK,
  aliases: [],
  id: `n${number}`,
  title: `Note ${number}`,
  body: `body ${number}`,
  version: 1,
  created_at: "2026-01-01T00:00:00Z",
  updated_at: new Date(Date.UTC(2026, 0, 1) + number * 1000).toISOString(),
  updated_by: { kind: "user" },
  ...fields,
});
const read = (one: Note) => cache.read(one, summaryOf(one));
const ids = async () => (await cache.list()).map(({ id }) => id).sort();

beforeEach(() => {
  store = new Store("u1");
  cache = new NoteCache(store);
});

afterEach(async () => {
  await store.close();
  await deleteDatabase("u1");
});

describe("cached notes", () => {
  it("have a text if they were read; of the others only the list row is cached", async () => {
    read(note(1));
    cache.listed([summaryOf(note(1)), summaryOf(note(2))]);
    await cache.flush();
    expect(await ids()).toEqual(["n1", "n2"]);
    expect((await cache.get("n1"))?.body).toBe("body 1");
    expect(await cache.get("n2")).toBeNull();
  });

  it("are never replaced by an older version", async () => {
    read(note(1, { version: 3, body: "new" }));
    await cache.flush();
    read(note(1, { version: 2, body: "old" }));
    cache.listed([summaryOf(note(1, { version: 2, title: "Old" }))]);
    await cache.flush();
    expect((await cache.get("n1"))?.body).toBe("new");
    expect((await cache.list())[0]?.version).toBe(3);
  });

  it("are the newest ones, bounded in number and size", async () => {
    for (let number = 0; number < 1010; number++) read(note(number));
    await cache.flush();
    expect(await ids()).toHaveLength(1000);
    expect(await cache.get("n9")).toBeNull();
    expect(await cache.get("n10")).not.toBeNull();
    for (let number = 2000; number < 2004; number++) read(note(number, { body: "x".repeat(6_000_000) }));
    await cache.flush();
    expect(await ids()).toEqual(["n2001", "n2002", "n2003"]);
  });

  it("are removed when the note is deleted, here or while the page was closed", async () => {
    for (const number of [1, 2, 3, 4]) read(note(number));
    await cache.flush();
    cache.removed("n4");
    await cache.reconcile(new Set(["n3"]), note(1).updated_at);
    await cache.flush();
    expect(await ids()).toEqual(["n1", "n3"]);
  });

  it("are searched by every word, in title and text", async () => {
    read(note(1, { title: "Shopping", body: "milk and eggs" }));
    read(note(2, { title: "Eggs", body: "boiled" }));
    await cache.flush();
    const found = async (query: string) => (await cache.search(query)).map(({ id }) => id);
    expect(await found("EGG")).toEqual(["n2", "n1"]);
    expect(await found("shop milk")).toEqual(["n1"]);
    expect(await found("bread")).toEqual([]);
  });
});
