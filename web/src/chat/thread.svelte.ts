/** One conversation on the page: its questions and answers, and the run that is going on in it. */

import { chat as calls } from "../api/calls.ts";
import { explain, Problem, reportUnlessRequestFailure } from "../api/http.ts";
import { newId } from "../lib/ids.ts";
import type { Conversation, Id, Message } from "../api/types.ts";
import type { EventRecorder } from "../live/event-recorder.ts";
import { followRun } from "../live/run-stream.ts";
import { Answer } from "./runs/answer.svelte.ts";
import { entriesOf, canBeUndone, recall, type Entry, type Question } from "./runs/entries.ts";

export class Thread {
  /** Null until the first message of a new conversation is accepted. */
  id = $state<Id | null>(null);
  title = $state("");
  /** What the assistant keeps to in this conversation. */
  instructions = $state("");
  entries = $state.raw<Entry[]>([]);
  active = $state.raw<Answer | null>(null);
  loading = $state(false);
  error = $state<string | null>(null);
  /** The server does not know it any more. */
  gone = $state(false);
  draft = $state("");
  #recorder: EventRecorder;
  #following: AbortController | null = null;
  /** Grows with each question asked or accepted here: what was read of the conversation before is out of date. */
  #questions = 0;

  constructor(recorder: EventRecorder, id: Id | null = null) {
    this.#recorder = recorder;
    this.id = id;
  }

  /** A question is on its way to the server. */
  get sending(): boolean {
    return this.entries.some((entry) => entry.kind === "question" && entry.sending);
  }

  get isEmpty(): boolean {
    return this.entries.length === 0;
  }

  /** Whether a run's answer is shown here, or its question is still on the way to the server. */
  knows(runId: Id): boolean {
    return this.sending || this.entries.some((entry) => entry.runId === runId);
  }

  /** Reads the conversation as it is stored, and joins the run that is going on in it from its beginning. */
  async load(): Promise<void> {
    if (!this.id) return;
    this.loading = true;
    this.error = null;
    try {
      this.#show(await this.#upToDate(this.id));
      void this.#recallLast();
    } catch (error) {
      this.gone = error instanceof Problem && error.status === 404;
      this.error = this.gone ? "There is no such conversation any more." : explain(error);
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

  /** Shows a question at once, before the server has it. */
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

  /** The server has the question: its answer is followed. */
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

  /** Follows a run from its beginning; one that is followed already stays so. */
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

  /** Stops listening; the run itself goes on. */
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

  /** What was asked and answered in this tab gets its messages' ids: it can be edited and answered again. */
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
      reportUnlessRequestFailure(error); // the next look at the conversation tells
    }
  }

  /** What was taken back in another tab is marked here; nothing else moves, nor does what is being told. */
  async remark(): Promise<void> {
    if (!this.id || !this.entries.some(canBeUndone)) return;
    try {
      const { messages } = await calls.conversation(this.id);
      for (const message of messages)
        for (const entry of this.entries)
          if (message.undone && entry.kind === "answer" && entry.runId === message.run_id)
            entry.undone = true;
    } catch (error) {
      reportUnlessRequestFailure(error); // the next look at the conversation tells
    }
  }

  /** How the newest run stands: a failed one may have left no message at all. */
  async #recallLast(): Promise<void> {
    const last = this.entries.at(-1);
    if (!last?.runId || this.active) return;
    try {
      const run = await calls.run(last.runId);
      if (this.entries.at(-1) !== last || this.active) return;
      // it began between two looks of the server at the conversation
      if (!run.finished_at) return this.join(last.runId);
      const answer = last.kind === "answer" ? last : new Answer(last.runId);
      recall(answer, run);
      if (answer !== last && !answer.running) this.entries = [...this.entries, answer];
    } catch (error) {
      reportUnlessRequestFailure(error); // the conversation is readable without it
    }
  }

  #show(conversation: Conversation): void {
    this.title = conversation.title;
    this.instructions = conversation.instructions;
    const runId = conversation.active_run_id ?? null;
    // the stream tells the running answer from its beginning
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
