/** One conversation on the page: its questions and answers, and its active run. */

import { chat as calls } from "../api/calls.ts";
import { explain, Problem, reportUnlessRequestFailure } from "../api/http.ts";
import { newId } from "../lib/ids.ts";
import type { Conversation, Id, Message } from "../api/types.ts";
import type { EventRecorder } from "../live/event-recorder.ts";
import { followRun } from "../live/run-stream.ts";
import { Answer } from "./runs/answer.svelte.ts";
import { applyRun, canBeUndone, entriesOf, type Entry, type Question } from "./runs/entries.ts";

export class Thread {
  /** Null until the first message of a new conversation is accepted. */
  id = $state<Id | null>(null);
  title = $state("");
  /** The instructions for the assistant in this conversation. */
  instructions = $state("");
  entries = $state.raw<Entry[]>([]);
  active = $state.raw<Answer | null>(null);
  loading = $state(false);
  error = $state<string | null>(null);
  /** The conversation was deleted. */
  gone = $state(false);
  draft = $state("");
  #recorder: EventRecorder;
  #following: AbortController | null = null;
  /** Incremented with each question sent or accepted here: a response requested before that is stale. */
  #questions = 0;

  constructor(recorder: EventRecorder, id: Id | null = null) {
    this.#recorder = recorder;
    this.id = id;
  }

  /** A question is in flight. */
  get sending(): boolean {
    return this.entries.some((entry) => entry.kind === "question" && entry.sending);
  }

  get isEmpty(): boolean {
    return this.entries.length === 0;
  }

  /** Whether a run's answer is shown here, or may belong to the question in flight. */
  knows(runId: Id): boolean {
    return this.sending || this.entries.some((entry) => entry.runId === runId);
  }

  /** Loads the stored conversation, and follows its active run from the beginning. */
  async load(): Promise<void> {
    if (!this.id) return;
    this.loading = true;
    this.error = null;
    try {
      this.#show(await this.#upToDate(this.id));
      void this.#loadLastRun();
    } catch (error) {
      this.gone = error instanceof Problem && error.status === 404;
      this.error = this.gone ? "This conversation no longer exists." : explain(error);
    }
    this.loading = false;
  }

  async #upToDate(id: Id): Promise<Conversation> {
    for (;;) {
      const questions = this.#questions;
      const conversation = await calls.conversation(id);
      if (questions === this.#questions) return conversation;
    }
  }

  /** Optimistic update: shows a question before the server has accepted it. */
  ask(text: string): Question {
    const question: Question = {
      kind: "question",
      key: newId(),
      messageId: null,
      siblings: [],
      text,
      runId: null,
      sending: true,
    };
    this.#questions += 1;
    this.entries = [...this.entries, question];
    return question;
  }

  /** The server has accepted the question: follows its run. */
  accepted(question: Question, runId: Id): void {
    this.#questions += 1;
    const known = this.entries.some((entry) => entry !== question && entry.runId === runId);
    this.entries = known
      ? this.entries.filter((entry) => entry !== question)
      : this.entries.map((entry) => (entry === question ? { ...question, runId, sending: false } : entry));
    this.join(runId);
  }

  refused(question: Question): void {
    this.entries = this.entries.filter((entry) => entry !== question);
  }

  /** Follows a run from its beginning, unless it is followed already. */
  join(runId: Id): void {
    if (this.active?.runId === runId) return;
    this.leave();
    const answer = new Answer(runId);
    this.entries = [
      ...this.entries.filter((entry) => entry.kind === "question" || entry.runId !== runId),
      answer,
    ];
    this.active = answer;
    void this.#follow(answer, runId);
  }

  /** Stops following; the run itself continues. */
  leave(): void {
    this.#following?.abort();
    this.#following = null;
    this.active = null;
  }

  async #follow(answer: Answer, runId: Id): Promise<void> {
    const following = (this.#following = new AbortController());
    const follower = {
      event: (event: Parameters<Answer["apply"]>[0]) => answer.apply(event),
      connected: (yes: boolean) => (answer.connected = yes),
    };
    try {
      await followRun(runId, this.#recorder, follower, following.signal);
    } catch (error) {
      answer.error = { code: "internal", message: explain(error), retryable: true };
      answer.status = "failed";
    }
    answer.flush();
    if (this.active !== answer) return;
    this.active = null;
    await this.#settle();
  }

  /** Adds message ids to the questions and answers of this tab, so that they can be edited and regenerated. */
  async #settle(): Promise<void> {
    if (!this.id) return;
    try {
      const { messages } = await calls.conversation(this.id);
      const of = (role: Message["role"], runId: Id | null) =>
        messages.find((message) => message.role === role && message.run_id === runId && runId);
      this.entries = this.entries.map((entry) => {
        const message = of(entry.kind === "question" ? "user" : "assistant", entry.runId);
        if (!message) return entry;
        const known = { messageId: message.id, siblings: message.siblings };
        return entry.kind === "question" ? { ...entry, ...known } : Object.assign(entry, known);
      });
    } catch (error) {
      reportUnlessRequestFailure(error); // retried when the conversation is loaded next
    }
  }

  /** Marks answers that were undone in another tab, without touching anything else, such as a streaming answer. */
  async markUndone(): Promise<void> {
    if (!this.id || !this.entries.some(canBeUndone)) return;
    try {
      const { messages } = await calls.conversation(this.id);
      for (const message of messages)
        for (const entry of this.entries)
          if (message.undone && entry.kind === "answer" && entry.runId === message.run_id)
            entry.undone = true;
    } catch (error) {
      reportUnlessRequestFailure(error); // retried when the conversation is loaded next
    }
  }

  /** Loads the newest run's status: a failed run may have left no message at all. */
  async #loadLastRun(): Promise<void> {
    const last = this.entries.at(-1);
    if (!last?.runId || this.active) return;
    try {
      const run = await calls.run(last.runId);
      if (this.entries.at(-1) !== last || this.active) return;
      // the run began between the server's two reads of the conversation
      if (!run.finished_at) return this.join(last.runId);
      const answer = last.kind === "answer" ? last : new Answer(last.runId);
      applyRun(answer, run);
      if (answer !== last && !answer.running) this.entries = [...this.entries, answer];
    } catch (error) {
      reportUnlessRequestFailure(error); // the conversation is readable without it
    }
  }

  #show(conversation: Conversation): void {
    this.title = conversation.title;
    this.instructions = conversation.instructions;
    const runId = conversation.active_run_id ?? null;
    // the stream replays the running answer from its beginning, so its stored messages are left out
    const past = conversation.messages.filter(
      (message) => message.role === "user" || message.run_id !== runId || !runId,
    );
    const running = this.active;
    const asking = this.entries.filter((entry) => entry.kind === "question" && entry.sending);
    this.entries = [
      ...entriesOf(past, runId !== null),
      ...(running && running.runId === runId ? [running] : []),
      ...asking,
    ];
    if (runId) this.join(runId);
    else this.leave();
  }
}
