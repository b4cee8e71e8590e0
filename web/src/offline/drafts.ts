/** The drafts of all tabs: stored while they are typed, and adopted by another tab when theirs has closed. */

import type { Id } from "../api/types.ts";
import type { Draft, Store } from "./store.ts";
import { enterTab } from "./tabs.ts";

export interface DraftStorage {
  /** False if the draft could not be stored. */
  put(draft: Omit<Draft, "tab">): Promise<boolean>;
  drop(key: string): void;
}

export interface DraftListener {
  /** Its tab has closed. From now on this tab is responsible for it. */
  adopted(draft: Draft): void;
  /** All drafts of other tabs that are not synced to the server. */
  otherTabs(drafts: Draft[]): void;
}

export class Drafts implements DraftStorage {
  readonly #tab = enterTab();
  readonly #store: Store;
  readonly #channel: BroadcastChannel;
  readonly #listener: DraftListener;
  readonly #watched = new Set<string>();
  readonly #stopped = new AbortController();
  #announced = false;
  /** Keys of this tab's drafts that are not synced, as announced to the other tabs. */
  #unsynced = new Set<string>();

  constructor(store: Store, userId: Id, listener: DraftListener) {
    this.#store = store;
    this.#listener = listener;
    this.#channel = new BroadcastChannel(`inkstream-drafts-${userId}`);
    this.#channel.onmessage = ({ data }: MessageEvent<string>) => {
      void this.#watch(data);
      void this.#readOtherTabs();
    };
  }

  async put(draft: Omit<Draft, "tab">): Promise<boolean> {
    await this.#tab.seen;
    if (this.#stopped.signal.aborted) return false;
    const stored = await this.#store.run(async (database) => {
      const writing = database.transaction("drafts", "readwrite");
      const written = writing.store.put({ ...draft, tab: this.#tab.id });
      writing.commit(); // without waiting for the automatic commit: the page may be closing
      await Promise.all([written, writing.done]);
      return true;
    }, false);
    const wasUnsynced = this.#unsynced.delete(draft.key);
    if (draft.held) this.#unsynced.add(draft.key);
    if (stored && (!this.#announced || wasUnsynced || draft.held)) this.#announce();
    this.#announced ||= stored;
    return stored;
  }

  drop(key: string): void {
    void this.#tab.seen
      .then(() => this.#store.run((database) => database.delete("drafts", key), undefined))
      .then(() => this.#unsynced.delete(key) && this.#announce());
  }

  /** The number of drafts, including those of other tabs. */
  count(): Promise<number> {
    return this.#store.run((database) => database.count("drafts"), 0);
  }

  /** Adopts the drafts of tabs that have closed, and watches the tabs that are open. */
  async adopt(): Promise<void> {
    await this.#tab.seen;
    const dead = await this.#deadTabs();
    // one transaction, so that two tabs never adopt the same draft
    const { mine, others } = await this.#store.run(
      async (database) => {
        const writing = database.transaction("drafts", "readwrite");
        const all = await writing.store.getAll();
        const left = all.filter(({ tab }) => dead.has(tab));
        const mine = left.map((draft) => ({ ...draft, tab: this.#tab.id }));
        await Promise.all([...mine.map((draft) => writing.store.put(draft)), writing.done]);
        return { mine, others: all.filter(({ tab }) => !dead.has(tab)).map(({ tab }) => tab) };
      },
      { mine: [], others: [] },
    );
    if (this.#stopped.signal.aborted) return;
    for (const draft of mine) {
      if (draft.held) this.#unsynced.add(draft.key);
      this.#listener.adopted(draft);
    }
    for (const tab of others) void this.#watch(tab);
    await this.#readOtherTabs();
  }

  /** The tabs that have left drafts and are gone. */
  async #deadTabs(): Promise<Set<string>> {
    const all = await this.#store.run((database) => database.getAll("drafts"), []);
    const others = new Set(all.map(({ tab }) => tab).filter((tab) => tab !== this.#tab.id));
    const living = await this.#tab.living(others);
    return new Set([...others].filter((tab) => !living.has(tab)));
  }

  stop(): void {
    this.#stopped.abort();
    this.#channel.close();
    this.#tab.leave();
  }

  #announce(): void {
    if (!this.#stopped.signal.aborted) this.#channel.postMessage(this.#tab.id);
  }

  async #readOtherTabs(): Promise<void> {
    const all = await this.#store.run((database) => database.getAll("drafts"), []);
    const unsynced = all.filter(({ tab, held }) => held && tab !== this.#tab.id);
    const living = await this.#tab.living(unsynced.map(({ tab }) => tab));
    if (this.#stopped.signal.aborted) return;
    this.#listener.otherTabs(unsynced.filter(({ tab }) => living.has(tab)));
  }

  async #watch(tab: string): Promise<void> {
    if (tab === this.#tab.id || this.#watched.has(tab)) return;
    this.#watched.add(tab);
    try {
      await this.#tab.gone(tab, this.#stopped.signal);
    } catch {
      return; // this tab closes first
    }
    this.#watched.delete(tab);
    await this.adopt();
  }
}
