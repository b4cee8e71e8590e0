/** The unsaved words of all tabs: kept while they are typed, and taken over by another tab when theirs is gone. */

import type { Id } from "../api/types.ts";
import type { Draft, Store } from "./store.ts";
import { gone, livingTabs, Tab } from "./tabs.ts";

export interface DraftStorage {
  /** False where they could not be kept. */
  keep(draft: Omit<Draft, "tab">): Promise<boolean>;
  drop(key: string): void;
}

export interface DraftListener {
  /** Nobody looks after it any more. From now on this tab does. */
  adopted(draft: Draft): void;
  /** All that other tabs have and the server does not. */
  otherTabs(drafts: Draft[]): void;
}

export class Drafts implements DraftStorage {
  readonly #tab = new Tab();
  readonly #store: Store;
  readonly #channel: BroadcastChannel;
  readonly #listener: DraftListener;
  readonly #watched = new Set<string>();
  readonly #stopped = new AbortController();
  #told = false;
  /** What of this tab the server does not have, as the others were told. */
  #held = new Set<string>();

  constructor(store: Store, userId: Id, listener: DraftListener) {
    this.#store = store;
    this.#listener = listener;
    this.#channel = new BroadcastChannel(`inkstream-drafts-${userId}`);
    this.#channel.onmessage = ({ data }: MessageEvent<string>) => {
      void this.#watch(data);
      void this.#look();
    };
  }

  async keep(draft: Omit<Draft, "tab">): Promise<boolean> {
    await this.#tab.seen;
    if (this.#stopped.signal.aborted) return false;
    const kept = await this.#store.run(async (database) => {
      const writing = database.transaction("drafts", "readwrite");
      const put = writing.store.put({ ...draft, tab: this.#tab.id });
      writing.commit(); // a page that closes now has no time for the usual way
      await Promise.all([put, writing.done]);
      return true;
    }, false);
    const wasHeld = this.#held.delete(draft.key);
    if (draft.held) this.#held.add(draft.key);
    if (kept && (!this.#told || wasHeld || draft.held)) this.#tell();
    this.#told ||= kept;
    return kept;
  }

  drop(key: string): void {
    void this.#tab.seen
      .then(() => this.#store.run((database) => database.delete("drafts", key), undefined))
      .then(() => this.#held.delete(key) && this.#tell());
  }

  /** How many there are, those of other tabs included. */
  count(): Promise<number> {
    return this.#store.run((database) => database.count("drafts"), 0);
  }

  /** Takes over what tabs that are gone have left, and watches those that are there. */
  async adopt(): Promise<void> {
    await this.#tab.seen;
    const living = await livingTabs();
    // one transaction: two tabs that look at the same time do not both get it
    const { mine, others } = await this.#store.run(
      async (database) => {
        const writing = database.transaction("drafts", "readwrite");
        const all = await writing.store.getAll();
        const left = all.filter(({ tab }) => tab !== this.#tab.id && !living.has(tab));
        const mine = left.map((draft) => ({ ...draft, tab: this.#tab.id }));
        await Promise.all([...mine.map((draft) => writing.store.put(draft)), writing.done]);
        return { mine, others: all.filter(({ tab }) => living.has(tab)).map(({ tab }) => tab) };
      },
      { mine: [], others: [] },
    );
    if (this.#stopped.signal.aborted) return;
    for (const draft of mine) {
      if (draft.held) this.#held.add(draft.key);
      this.#listener.adopted(draft);
    }
    for (const tab of others) void this.#watch(tab);
    await this.#look();
  }

  stop(): void {
    this.#stopped.abort();
    this.#channel.close();
    this.#tab.leave();
  }

  #tell(): void {
    if (!this.#stopped.signal.aborted) this.#channel.postMessage(this.#tab.id);
  }

  async #look(): Promise<void> {
    const living = await livingTabs();
    const all = await this.#store.run((database) => database.getAll("drafts"), []);
    if (this.#stopped.signal.aborted) return;
    this.#listener.otherTabs(all.filter(({ tab, held }) => held && tab !== this.#tab.id && living.has(tab)));
  }

  async #watch(tab: string): Promise<void> {
    if (tab === this.#tab.id || this.#watched.has(tab)) return;
    this.#watched.add(tab);
    try {
      await gone(tab, this.#stopped.signal);
    } catch {
      return; // this tab goes first
    }
    this.#watched.delete(tab);
    await this.adopt();
  }
}
