/** The assistant's side of the page: conversations, the open one, and what is asked of it. */

import { SvelteMap } from "svelte/reactivity";

import { chat as calls, type RunRequest } from "../api/calls.ts";
import { explain, isPassing, Problem } from "../api/http.ts";
import type {
  ConversationSummary,
  Decision,
  Id,
  ModelStatus,
  RunStarted,
  RunStatus,
  ServerMessage,
  UndoneRun,
} from "../api/types.ts";
import { backoff, patience } from "../live/backoff.ts";
import type { Wire } from "../live/event-log.svelte.ts";
import { draftOf, keepDraft } from "./drafts.ts";
import type { Answer } from "./answer.svelte.ts";
import type { ToolPart } from "./parts.svelte.ts";
import { Thread } from "./thread.svelte.ts";

const TRIES = 4;

export interface ChatEvents {
  /** Another conversation is open, or it got its id. */
  moved(id: Id | null): void;
  failed(message: string): void;
  /** A conversation that is not open here waits for the person's word. */
  waits(id: Id): void;
}

type RunChanged = Extract<ServerMessage, { type: "run_changed" }>;
type ConversationChanged = Extract<ServerMessage, { type: "conversation_changed" }>;

export class Chat {
  current = $state.raw() as Thread;
  conversations = $state.raw<ConversationSummary[]>([]);
  nextCursor = $state<string | null>(null);
  listError = $state<string | null>(null);
  query = $state("");
  status = $state.raw<ModelStatus | null>(null);
  /** Conversations in which the assistant is at work, here or in any other tab. */
  running = new SvelteMap<Id, RunStatus>();
  #wire: Wire;
  #events: ChatEvents;
  #stopped = new AbortController();

  constructor(wire: Wire, events: ChatEvents) {
    this.#wire = wire;
    this.#events = events;
    this.current = this.#thread(null);
  }

  stop(): void {
    this.#stopped.abort();
    this.current.leave();
  }

  async loadStatus(): Promise<void> {
    for (let failures = 0; !this.status && !this.#stopped.signal.aborted; failures++) {
      try {
        this.status = await calls.status();
      } catch {
        await patience(backoff(failures), this.#stopped.signal);
      }
    }
  }

  /** The list of conversations from its top, as `query` filters it. */
  async loadList(): Promise<void> {
    const query = this.query.trim();
    try {
      const page = await calls.conversations(query, null);
      if (query !== this.query.trim()) return;
      this.conversations = page.conversations;
      this.nextCursor = page.next_cursor ?? null;
      this.listError = null;
      for (const { id, active_run_id } of page.conversations) {
        if (active_run_id) void this.#learn(id, active_run_id);
        else this.running.delete(id);
      }
      const open = page.conversations.find(({ id }) => id === this.current.id);
      if (open) this.current.title = open.title;
    } catch (error) {
      this.listError = explain(error);
    }
  }

  async more(): Promise<void> {
    if (!this.nextCursor) return;
    try {
      const page = await calls.conversations(this.query.trim(), this.nextCursor);
      this.conversations = [...this.conversations, ...page.conversations];
      this.nextCursor = page.next_cursor ?? null;
    } catch (error) {
      this.listError = explain(error);
    }
  }

  open(id: Id | null): void {
    if (this.current.id === id && id !== null) return;
    this.current.leave();
    this.current = this.#thread(id);
    this.#events.moved(id);
    void this.current.load();
  }

  type(text: string): void {
    this.current.draft = text;
    keepDraft(this.current.id, text);
  }

  /** Sends a message; what cannot be sent goes back to where it was typed. */
  async send(text: string, noteId: Id | null): Promise<void> {
    const thread = this.current;
    const question = thread.ask(text);
    this.type("");
    const body: RunRequest = { message: text, client_request_id: crypto.randomUUID() };
    if (thread.id) body.conversation_id = thread.id;
    if (noteId) body.note_id = noteId;
    try {
      const { run_id, conversation_id } = await this.#start(() => calls.start(body));
      if (!thread.id) this.#named(thread, conversation_id, text);
      if (this.current === thread) thread.accepted(question, run_id);
    } catch (error) {
      thread.refused(question);
      if (this.current === thread && !thread.draft) this.type(text);
      this.#refused(thread, error);
    }
  }

  /** Another message in the place of an earlier one; what followed stays, on its own branch. */
  async edit(messageId: Id, text: string): Promise<void> {
    await this.#branch((id, key) => calls.edit(id, messageId, text, key));
  }

  /** Another answer in the place of an earlier one. */
  async regenerate(messageId: Id): Promise<void> {
    await this.#branch((id, key) => calls.regenerate(id, messageId, key));
  }

  async showBranch(messageId: Id): Promise<void> {
    const thread = this.current;
    if (!thread.id || thread.active) return;
    try {
      await calls.showBranch(thread.id, messageId);
      if (this.current === thread) await thread.load();
    } catch (error) {
      this.#events.failed(explain(error));
    }
  }

  async #branch(send: (id: Id, key: string) => Promise<RunStarted>): Promise<void> {
    const thread = this.current;
    const { id } = thread;
    const key = crypto.randomUUID();
    if (!id || thread.active || thread.sending) return;
    try {
      await this.#start(() => send(id, key));
      if (this.current === thread) await thread.load();
    } catch (error) {
      this.#refused(thread, error);
    }
  }

  async cancel(): Promise<void> {
    const answer = this.current.active;
    if (!answer?.runId || answer.stopping) return;
    answer.stopping = true;
    try {
      await calls.cancel(answer.runId);
    } catch (error) {
      answer.stopping = false;
      this.#events.failed(explain(error));
    }
  }

  /** The person's word on a call that waits. */
  async decide(
    answer: Answer,
    tool: ToolPart,
    approve: boolean,
    { remember, reason }: { remember: boolean; reason: string },
  ): Promise<void> {
    if (!answer.runId || tool.deciding) return;
    tool.deciding = true;
    const decision: Decision = { call_id: tool.callId, approve };
    if (approve && remember) decision.remember = "conversation";
    if (!approve && reason) decision.reason = reason;
    try {
      await calls.decide(answer.runId, [decision]);
      // the stream tells the same; it may come later
      if (tool.status === "waiting") tool.status = approve ? "running" : "denied";
    } catch (error) {
      tool.deciding = false;
      const late = error instanceof Problem && error.code === "validation_failed";
      this.#events.failed(late ? "That was decided in another window already." : explain(error));
    }
  }

  /** Takes back what a run changed in the notes. */
  undo(runId: Id): Promise<UndoneRun> {
    return calls.undo(runId);
  }

  async rename(id: Id, title: string): Promise<void> {
    try {
      const renamed = await calls.rename(id, title);
      this.conversations = this.conversations.map((one) => (one.id === id ? renamed : one));
      if (this.current.id === id) this.current.title = renamed.title;
    } catch (error) {
      this.#events.failed(explain(error));
    }
  }

  async remove(id: Id): Promise<void> {
    try {
      await calls.remove(id);
      this.#removed(id);
    } catch (error) {
      this.#events.failed(explain(error));
    }
  }

  /** A run started, waits or ended, in whichever tab. */
  runChanged({ conversation_id, run_id, status }: RunChanged): void {
    const ended = status === "completed" || status === "failed" || status === "cancelled";
    if (ended) this.running.delete(conversation_id);
    else {
      const news = status === "waiting" && this.running.get(conversation_id) !== "waiting";
      this.running.set(conversation_id, status);
      if (news && this.current.id !== conversation_id) this.#events.waits(conversation_id);
    }
    const thread = this.current;
    if (thread.id !== conversation_id || thread.knows(run_id)) return;
    void thread.load();
  }

  conversationChanged({ op, id }: ConversationChanged): void {
    if (op === "delete") this.#removed(id);
    else void this.loadList();
  }

  /** The assistant is at work in a conversation that is not open here. */
  get busyElsewhere(): boolean {
    return [...this.running.keys()].some((id) => id !== this.current.id);
  }

  /** In some conversation a call waits for the person's word. */
  get waiting(): boolean {
    return [...this.running.values()].includes("waiting");
  }

  get waitingElsewhere(): boolean {
    return [...this.running].some(([id, status]) => status === "waiting" && id !== this.current.id);
  }

  /** After a time without hearing anything: what may have been missed is read again. */
  refresh(): void {
    void this.loadList();
    this.refreshThread();
  }

  refreshThread(): void {
    if (this.current.id && !this.current.active && !this.current.sending) void this.current.load();
  }

  /** The list names the run that is going on, not how it stands. */
  async #learn(id: Id, runId: Id): Promise<void> {
    if (this.running.has(id)) return;
    this.running.set(id, "running");
    try {
      const { status, finished_at } = await calls.run(runId);
      if (finished_at) this.running.delete(id);
      else if (this.running.get(id) === "running") this.running.set(id, status);
    } catch {
      // the next change of the run tells
    }
  }

  #thread(id: Id | null): Thread {
    const thread = new Thread(this.#wire, id);
    thread.draft = draftOf(id);
    return thread;
  }

  /** Starts a run; the same request id makes repeats of it one run. */
  async #start(send: () => Promise<RunStarted>): Promise<RunStarted> {
    for (let tries = 1; ; tries++) {
      try {
        return await send();
      } catch (error) {
        if (!isPassing(error) || tries === TRIES || this.#stopped.signal.aborted) throw error;
        const wait = error instanceof Problem && error.retryAfterMs ? error.retryAfterMs : backoff(tries);
        await patience(wait, this.#stopped.signal);
      }
    }
  }

  #named(thread: Thread, id: Id, text: string): void {
    thread.id = id;
    thread.title = text.split("\n")[0]?.slice(0, 80) ?? "";
    if (this.current === thread) this.#events.moved(id);
    void this.loadList();
  }

  #refused(thread: Thread, error: unknown): void {
    if (error instanceof Problem && error.code === "run_active") {
      this.#events.failed(
        "The assistant is still answering here. Send it when the answer is done, or press Stop.",
      );
      if (typeof error.members["run_id"] === "string") thread.join(error.members["run_id"]);
    } else {
      this.#events.failed(`Not sent: ${explain(error)}`);
    }
  }

  #removed(id: Id): void {
    this.conversations = this.conversations.filter((one) => one.id !== id);
    this.running.delete(id);
    if (this.current.id === id) this.open(null);
  }
}
