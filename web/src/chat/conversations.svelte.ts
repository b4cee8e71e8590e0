/** The user's conversations: list, search, rename, delete, and which of them have an active run. */

import { SvelteMap } from "svelte/reactivity";

import { chat as calls, type ModelChoice } from "../api/calls.ts";
import { explain, reportUnlessRequestFailure } from "../api/http.ts";
import type { ConversationSummary, Id, RunStatus } from "../api/types.ts";

export interface ConversationEvents {
  /** A conversation's title, instructions or model were loaded or changed. */
  updated(conversation: ConversationSummary): void;
  removed(id: Id): void;
  failed(message: string): void;
}

export class Conversations {
  list = $state.raw<ConversationSummary[]>([]);
  nextCursor = $state<string | null>(null);
  error = $state<string | null>(null);
  query = $state("");
  /** Conversations with an active run, started in any tab, with its status. */
  running = new SvelteMap<Id, RunStatus>();
  #events: ConversationEvents;

  constructor(events: ConversationEvents) {
    this.#events = events;
  }

  /** Loads the first page, filtered by `query`. */
  async load(): Promise<void> {
    const query = this.query.trim();
    try {
      const page = await calls.conversations(query, null);
      if (query !== this.query.trim()) return;
      this.list = page.conversations;
      this.nextCursor = page.next_cursor ?? null;
      this.error = null;
      for (const conversation of page.conversations) {
        const { id, active_run_id } = conversation;
        if (active_run_id) void this.#loadStatus(id, active_run_id);
        else this.running.delete(id);
        this.#events.updated(conversation);
      }
    } catch (error) {
      this.error = explain(error);
    }
  }

  async more(): Promise<void> {
    if (!this.nextCursor) return;
    try {
      const page = await calls.conversations(this.query.trim(), this.nextCursor);
      this.list = [...this.list, ...page.conversations];
      this.nextCursor = page.next_cursor ?? null;
    } catch (error) {
      this.error = explain(error);
    }
  }

  titleOf(id: Id): string | undefined {
    return this.list.find((one) => one.id === id)?.title;
  }

  async rename(id: Id, title: string): Promise<void> {
    await this.#change(id, { title });
  }

  /** Sets the conversation's instructions. Returns whether the server accepted them. */
  async instruct(id: Id, instructions: string): Promise<boolean> {
    return await this.#change(id, { instructions });
  }

  /** Chooses who answers in the conversation. Returns whether the server accepted it. */
  async choose(id: Id, choice: ModelChoice): Promise<boolean> {
    return await this.#change(id, choice);
  }

  async remove(id: Id): Promise<void> {
    try {
      await calls.remove(id);
      this.removed(id);
    } catch (error) {
      this.#events.failed(explain(error));
    }
  }

  removed(id: Id): void {
    this.list = this.list.filter((one) => one.id !== id);
    this.running.delete(id);
    this.#events.removed(id);
  }

  /** Updates the status of a conversation's run. Returns whether it has just begun to wait for approval. */
  runChanged(id: Id, status: RunStatus): boolean {
    if (status === "completed" || status === "failed" || status === "cancelled") {
      this.running.delete(id);
      return false;
    }
    const beganWaiting = status === "waiting" && this.running.get(id) !== "waiting";
    this.running.set(id, status);
    return beganWaiting;
  }

  /** In some conversation other than `except`, a tool call waits for approval. */
  waiting(except: Id | null = null): boolean {
    return [...this.running].some(([id, status]) => status === "waiting" && id !== except);
  }

  /** Some conversation other than `except` has an active run. */
  busy(except: Id | null): boolean {
    return [...this.running.keys()].some((id) => id !== except);
  }

  async #change(id: Id, fields: { title?: string; instructions?: string } & ModelChoice): Promise<boolean> {
    try {
      const changed = await calls.changeConversation(id, fields);
      this.list = this.list.map((one) => (one.id === id ? changed : one));
      this.#events.updated(changed);
      return true;
    } catch (error) {
      this.#events.failed(explain(error));
      return false;
    }
  }

  /** The list contains the active run's id but not its status. */
  async #loadStatus(id: Id, runId: Id): Promise<void> {
    if (this.running.has(id)) return;
    this.running.set(id, "running");
    try {
      const { status, finished_at } = await calls.run(runId);
      if (finished_at) this.running.delete(id);
      else if (this.running.get(id) === "running") this.running.set(id, status);
    } catch (error) {
      reportUnlessRequestFailure(error); // the run's next change brings the status
    }
  }
}
