/** The chat: the open conversation, and sending messages in it. */

import { createContext } from "svelte";

import { chat as calls, type Again, type ModelChoice, type RunRequest } from "../api/calls.ts";
import { explain, Problem } from "../api/http.ts";
import { shortened } from "../lib/characters.ts";
import { newId } from "../lib/ids.ts";
import type { Id, RunRestarted, ServerMessage, UndoConflict, UndoneNote } from "../api/types.ts";
import type { EventRecorder } from "../live/event-recorder.ts";
import { Conversations } from "./conversations.svelte.ts";
import type { ChatDrafts } from "./drafts.ts";
import { asWritten } from "./mentions.ts";
import { ModelInUse } from "./model.svelte.ts";
import type { Unsent } from "./runs/entries.ts";
import { RunControl } from "./runs/run-control.ts";
import { startRun } from "./runs/start-run.ts";
import { Thread } from "./thread.svelte.ts";

export interface ChatEvents {
  /** Another conversation was opened; `isStep`: by the user. Else the open one got its id, or was deleted. */
  moved(id: Id | null, isStep: boolean): void;
  failed(message: string): void;
  /** What a replaced answer had changed was undone. */
  tookBack(notes: UndoneNote[]): void;
  /** A conversation that is not open here waits for approval. */
  waits(id: Id): void;
}

type RunChanged = Extract<ServerMessage, { type: "run_changed" }>;
type ConversationChanged = Extract<ServerMessage, { type: "conversation_changed" }>;

export class Chat {
  current = $state.raw() as Thread;
  /** Asks whether notes may stay that somebody has changed since the answer that is to be replaced did. */
  question = $state.raw<{ conflicts: UndoConflict[]; answer: (goOn: boolean) => void } | null>(null);
  readonly conversations: Conversations;
  readonly model = new ModelInUse();
  readonly runs: RunControl;
  #recorder: EventRecorder;
  #events: ChatEvents;
  #drafts: ChatDrafts;
  #stopped = new AbortController();

  constructor(recorder: EventRecorder, events: ChatEvents, drafts: ChatDrafts) {
    this.#drafts = drafts;
    this.#recorder = recorder;
    this.#events = events;
    this.conversations = new Conversations({
      updated: ({ id, title, instructions, model = null, effort = null }) => {
        if (this.current.id === id) Object.assign(this.current, { title, instructions, model, effort });
      },
      removed: (id) => this.current.id === id && this.open(null, false),
      failed: (message) => this.#events.failed(message),
    });
    this.runs = new RunControl((message) => this.#events.failed(message));
    this.current = this.#thread(null);
  }

  stop(): void {
    this.#stopped.abort();
    this.current.leave();
  }

  load(): void {
    void this.model.load(this.#stopped.signal);
    void this.conversations.load();
  }

  open(id: Id | null, isStep = true): void {
    if (this.current.id === id && id !== null) return;
    this.current.leave();
    this.current = this.#thread(id);
    this.#events.moved(id, isStep);
    void this.current.load();
  }

  type(text: string): void {
    this.current.draft = text;
    this.#drafts.type(this.current.id, text);
  }

  /** Sends a message. If that fails, it stays in the conversation and can be sent again. */
  async send(text: string, noteId: Id | null): Promise<void> {
    const thread = this.current;
    thread.draft = "";
    await this.#deliver(thread, this.#drafts.send(thread.id, text, noteId));
  }

  /** Sends a message again that could not be sent. */
  async resend(unsent: Unsent): Promise<void> {
    const thread = this.current;
    if (thread.active || thread.sending) return;
    await this.#deliver(thread, { ...unsent, failed: false });
  }

  /** Removes a message that could not be sent; `edit`: its text goes to the composer. */
  withdraw(unsent: Unsent, edit: boolean): void {
    const thread = this.current;
    thread.withdraw(unsent.requestId);
    this.#drafts.sent(thread.id, unsent);
    if (edit) this.type(thread.draft.trim() ? `${unsent.text}\n\n${thread.draft}` : unsent.text);
  }

  async #deliver(thread: Thread, message: Unsent): Promise<void> {
    const where = thread.id;
    const unsent = where ? message : { ...message, choice: choiceOf(thread) };
    const { text, requestId, noteId } = unsent;
    const seen = thread.lastSeen();
    thread.ask(unsent);
    this.#drafts.keep(where, unsent);
    const body: RunRequest = { message: text, client_request_id: requestId };
    if (noteId) body.note_id = noteId;
    try {
      await thread.choosing;
      if (!where) Object.assign(body, unsent.choice);
      if (where) Object.assign(body, { conversation_id: where, parent_message_id: await seen });
      const { run_id, conversation_id } = await startRun(() => calls.start(body), this.#stopped.signal);
      this.#drafts.sent(where, unsent);
      if (!thread.id) this.#named(thread, conversation_id, text);
      if (this.current === thread) thread.accepted(unsent, run_id);
    } catch (error) {
      this.#drafts.keep(where, { ...unsent, failed: true });
      thread.refused(unsent);
      this.#refused(thread, error);
    }
  }

  /** Replaces an earlier message; the messages after it stay on their own branch. False if that failed. */
  async edit(messageId: Id, text: string): Promise<boolean> {
    return await this.#branch((id, again) => calls.edit(id, messageId, text, again));
  }

  /** Generates another answer in place of an earlier one, on a new branch. */
  async regenerate(messageId: Id): Promise<void> {
    await this.#branch((id, again) => calls.regenerate(id, messageId, again));
  }

  /**
   * Chooses who answers in the open conversation from its next message on. Optimistic: shown at once, and taken back if
   * the server refuses it. A new conversation takes the choice along with its first message.
   */
  choose(choice: ModelChoice): Promise<void> {
    const thread = this.current;
    const { id, model, effort } = thread;
    Object.assign(thread, choice);
    if (id)
      thread.choosing = thread.choosing.then(async () => {
        if (!(await this.conversations.choose(id, choice))) Object.assign(thread, { model, effort });
      });
    return thread.choosing;
  }

  /** Sets the instructions of the open conversation; a new conversation is created for them. False if that failed. */
  async instruct(instructions: string): Promise<boolean> {
    const thread = this.current;
    if (thread.id) return await this.conversations.instruct(thread.id, instructions);
    try {
      const { id, title } = await calls.createConversation(instructions, choiceOf(thread));
      Object.assign(thread, { id, title, instructions });
      if (this.current === thread) this.#events.moved(id, false);
      void this.conversations.load();
      return true;
    } catch (error) {
      this.#events.failed(explain(error));
      return false;
    }
  }

  async showBranch(messageId: Id): Promise<void> {
    const thread = this.current;
    if (!thread.id || thread.active) return;
    try {
      await calls.showBranch(thread.id, messageId);
      if (this.current === thread) await thread.load(messageId);
    } catch (error) {
      this.#events.failed(explain(error));
    }
  }

  async #branch(
    send: (id: Id, again: Again) => Promise<RunRestarted>,
    again: Again = { client_request_id: newId(), keep_conflicts: false },
  ): Promise<boolean> {
    const thread = this.current;
    const { id } = thread;
    if (!id || thread.active || thread.sending) return false;
    try {
      const { undone } = await startRun(() => send(id, again), this.#stopped.signal);
      if (undone.length > 0) this.#events.tookBack(undone);
      if (this.current === thread) await thread.load();
      return true;
    } catch (error) {
      const conflicts =
        error instanceof Problem && error.code === "changes_conflict" && error.members["conflicts"];
      if (!conflicts) this.#refused(thread, error);
      else if (await this.#ask(conflicts as UndoConflict[]))
        return await this.#branch(send, { ...again, keep_conflicts: true });
      return false;
    }
  }

  #ask(conflicts: UndoConflict[]): Promise<boolean> {
    return new Promise((resolve) => {
      this.question?.answer(false);
      this.question = {
        conflicts,
        answer: (goOn) => {
          this.question = null;
          resolve(goOn);
        },
      };
    });
  }

  /** A run started, waits or ended, in any tab. */
  runChanged({ conversation_id, run_id, status }: RunChanged): void {
    if (this.conversations.runChanged(conversation_id, status) && this.current.id !== conversation_id)
      this.#events.waits(conversation_id);
    const thread = this.current;
    if (thread.id !== conversation_id || thread.knows(run_id)) return;
    void thread.load();
  }

  conversationChanged({ op, id }: ConversationChanged): void {
    if (op === "delete") this.conversations.removed(id);
    else void this.conversations.load();
    if (op === "update" && this.current.id === id) void this.current.markUndone();
  }

  /** In some conversation a tool call waits for approval. */
  get waiting(): boolean {
    return this.conversations.waiting();
  }

  /** After a reconnect: reads again whatever changes may have been missed. */
  refresh(): void {
    void this.conversations.load();
    this.refreshThread();
  }

  refreshThread(): void {
    if (this.current.id && !this.current.active && !this.current.sending) void this.current.load();
  }

  #thread(id: Id | null): Thread {
    const unsent = this.#drafts.unsent(id);
    const thread = new Thread(this.#recorder, id, unsent);
    if (!id) Object.assign(thread, unsent.at(-1)?.choice);
    thread.draft = this.#drafts.of(id);
    thread.confirmed = (unsent) => this.#drafts.sent(thread.id, unsent);
    return thread;
  }

  #named(thread: Thread, id: Id, text: string): void {
    // earlier messages of this new conversation that could not be sent
    for (const { unsent } of thread.unsent) {
      if (!unsent?.failed) continue;
      this.#drafts.sent(null, unsent);
      this.#drafts.keep(id, unsent);
    }
    thread.id = id;
    thread.title = shortened(asWritten(text).split("\n")[0] ?? "", 80);
    if (this.current === thread) this.#events.moved(id, false);
    void this.conversations.load();
  }

  #refused(thread: Thread, error: unknown): void {
    const code = error instanceof Problem ? error.code : "";
    if (code === "run_active" || code === "stale_branch") {
      this.#events.failed(
        code === "run_active"
          ? "The assistant is still answering here. Send it when the answer is done, or press Stop."
          : "Not sent: another window has gone on here. This is how the conversation ends now; send it again to go on from here.",
      );
      if (this.current === thread) void thread.load(); // also the question that was sent elsewhere
    } else {
      this.#events.failed(`Not sent: ${explain(error)}`);
    }
  }
}

function choiceOf({ model, effort }: Thread): ModelChoice {
  return { ...(model ? { model } : {}), ...(effort ? { effort } : {}) };
}

/** The chat of this page. */
export const [getChat, setChat] = createContext<Chat>();
