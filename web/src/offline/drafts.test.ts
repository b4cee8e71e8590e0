import "fake-indexeddb/auto";

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { BLANK } from "../api/note-fields.ts";
import { Drafts } from "./drafts.ts";
import { FakeLocks } from "../lib/fake-locks.ts";
import { deleteDatabase, Store, type Draft } from "./store.ts";

const fields = { ...BLANK, title: "Diary", body: "words" };
const draft = (key: string, body = "words") => ({ key, base: null, fields: { ...fields, body }, sent: null });

/** A tab of one browser, with the drafts that it adopted from others. */
class OpenTab {
  adopted: Draft[] = [];
  otherTabs: string[] = [];
  store: Store;
  drafts: Drafts;

  constructor(user = "u1") {
    this.store = new Store(user);
    this.drafts = new Drafts(this.store, user, {
      adopted: (found) => this.adopted.push(found),
      otherTabs: (drafts) => (this.otherTabs = drafts.map(({ key, held }) => `${key} ${held}`)),
    });
  }

  async close(): Promise<void> {
    this.drafts.stop();
    await this.store.close();
  }

  get keys(): string[] {
    return this.adopted.map(({ key }) => key).sort();
  }
}

let tabs: OpenTab[];
const open = (user?: string) => {
  const tab = new OpenTab(user);
  tabs.push(tab);
  return tab;
};

const waitFor = (check: () => unknown) => vi.waitFor(check, { timeout: 30_000 });

beforeEach(() => {
  tabs = [];
});

afterEach(async () => {
  for (const tab of tabs) await tab.close();
  await deleteDatabase("u1");
  await deleteDatabase("u2");
  vi.unstubAllGlobals();
});

describe.each([
  ["with Web Locks", () => new FakeLocks()],
  ["without Web Locks", () => undefined],
])("a draft, %s,", (_, locks) => {
  beforeEach(() => {
    vi.stubGlobal("navigator", { ...navigator, locks: locks() });
  });

  it("is adopted by the next visit, as it was stored last", async () => {
    const first = open();
    await first.drafts.put(draft("a", "wor"));
    await first.drafts.put(draft("a"));
    await first.close();
    const next = open();
    await next.drafts.adopt();
    expect(next.adopted).toMatchObject([draft("a")]);
  });

  it("stays with its tab while that is open, and is adopted by exactly one other when it closes", async () => {
    const [first, second, third] = [open(), open(), open()];
    await first.drafts.put(draft("a"));
    await first.drafts.put(draft("b"));
    await Promise.all([second.drafts.adopt(), third.drafts.adopt()]);
    expect([...second.keys, ...third.keys]).toEqual([]);
    await first.close();
    await waitFor(() => expect([...second.keys, ...third.keys].sort()).toEqual(["a", "b"]));
  });

  it("of a tab that was opened later is adopted as well", async () => {
    const first = open();
    await first.drafts.adopt();
    const later = open();
    await later.drafts.put(draft("a"));
    await new Promise((done) => setTimeout(done, 20));
    await later.close();
    await waitFor(() => expect(first.keys).toEqual(["a"]));
  });

  it("is deleted once it is saved", async () => {
    const first = open();
    await first.drafts.put(draft("a"));
    first.drafts.drop("a");
    await waitFor(async () => expect(await first.drafts.count()).toBe(0));
    await first.close();
    const next = open();
    await next.drafts.adopt();
    expect(next.adopted).toEqual([]);
  });

  it("is known to the other tabs while it is not synced", async () => {
    const [here, there] = [open(), open()];
    await here.drafts.put(draft("typing"));
    await here.drafts.put({ ...draft("a"), held: "offline" });
    await here.drafts.put({ ...draft("b"), held: "refused" });
    await waitFor(() => expect(there.otherTabs).toEqual(["a offline", "b refused"]));
    const later = open();
    await later.drafts.adopt();
    expect(later.otherTabs).toEqual(["a offline", "b refused"]);
    await here.drafts.put(draft("a"));
    here.drafts.drop("b");
    for (const tab of [there, later]) await waitFor(() => expect(tab.otherTabs).toEqual([]));
    expect(here.otherTabs).toEqual([]);
    here.drafts.drop("typing");
    await here.drafts.put({ ...draft("a"), held: "conflict" });
    await waitFor(() => expect(there.otherTabs).toEqual(["a conflict"]));
    await here.close();
    const places = () => [there, later].map(({ keys, otherTabs }) => [keys, otherTabs].flat());
    await waitFor(() => expect(places().sort()).toEqual([["a"], ["a conflict"]]));
    (there.keys.length > 0 ? there : later).drafts.drop("a");
    await waitFor(() => expect(places().sort()).toEqual([[], ["a"]]));
  });

  it("is not shown to another user", async () => {
    const mine = open("u1");
    await mine.drafts.put(draft("a"));
    await mine.close();
    const other = open("u2");
    await other.drafts.adopt();
    expect(other.adopted).toEqual([]);
  });

  it("is not stored after a sign-out", async () => {
    const mine = open();
    await mine.drafts.put(draft("a"));
    await mine.close();
    await deleteDatabase("u1");
    expect(await mine.drafts.put(draft("b"))).toBe(false);
    const next = open();
    await next.drafts.adopt();
    expect(next.adopted).toEqual([]);
  });
});
