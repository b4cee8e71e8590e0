/** One conversation on the page: its questions and answers, and its active run. */

import { chat as calls } from "../api/calls.ts";
import { explain, Problem, reportUnlessRequestFailure } from "../api/http.ts";
import type { Conversation, Id, Message, Summary } from "../api/types.ts";
import type { EventRecorder } from "../live/event-recorder.ts";
import { followRun } from "../live/run-stream.ts";
import { Answer } from "./runs/answer.svelte.ts";
import { applyRun, canBeUndone, entriesOf, type Entry, type Question, type Unsent } from "./runs/entries.ts";

/** How many messages are shown of a conversation at first, and added for a look further up. */
const PAGE = 60;
/** How many are read at once where all are needed. */
const MOST = 500;

/** How far the clocks of this device and the server may differ. */
const CLOCKS_DIFFER_MS = 60_000;

export class Thread {
  /** Null until the first message of a new conversation is accepted. */
  id = $state<Id | null>(null);
  title = $state("");
  /** The instructions for the assistant in this conversation. */
  instructions = $state("");
  /** The model that was chosen for it; null: none was. */
  model = $state<string | null>(null);
  /** How much the model is to reason; null: as it does by itself. */
  effort = $state<string | null>(null);
  /** Settled once the server knows the last choice of the model: a message is sent after it. */
  choosing: Promise<void> = Promise.resolve();
  entries = $state.raw<Entry[]>([]);
  /** There are messages before those that are shown. */
  hasEarlier = $state(false);
  loadingEarlier = $state(false);
  /** Why earlier messages could not be loaded. */
  earlierError = $state<string | null>(null);
  /** What the model is sent instead of the messages up to a certain one. */
  summary = $state.raw<Summary | null>(null);
  /** The last message of which the model is sent nothing. */
  leftOutUntil = $state<Id | null>(null);
  active = $state.raw<Answer | null>(null);
  loading = $state(false);
  error = $state<string | null>(null);
  /** The conversation was deleted. */
  gone = $state(false);
  draft = $state("");
  /** Called with an unsent message that turned out to have been accepted. */
  confirmed: (unsent: Unsent) => void = () => undefined;
  /** The stored messages that are shown: the newest of the branch, without a gap. */
  #messages: Message[] = [];
  #recorder: EventRecorder;
  #following: AbortController | null = null;
  /** Incremented with each question sent or accepted here: a response requested before that is stale. */
  #questions = 0;
  /** The last message that is shown here and has an id: null before the first. */
  #end: Id | null = null;
  /** The answer that is shown last is streaming, or the ids of its messages are not known yet. */
  #isEndUnknown = false;
  #settling: Promise<Id | null> | null = null;
  /** Unsent messages that were in flight when the page was closed: the server may have them. */
  #inDoubt: Unsent[];

  /** `unsent`: the messages that were not accepted when this conversation was open before. */
  constructor(recorder: EventRecorder, id: Id | null = null, unsent: Unsent[] = []) {
    this.#recorder = recorder;
    this.id = id;
    this.entries = unsent.map((one) => questionOf({ ...one, failed: true }));
    this.#inDoubt = unsent.filter(({ failed }) => !failed);
  }

  /** A question is in flight. */
  get sending(): boolean {
    return this.entries.some((entry) => entry.kind === "question" && entry.unsent?.failed === false);
  }

  get isEmpty(): boolean {
    return this.entries.length === 0;
  }

  /** Whether a run's answer is shown here, or may belong to the question in flight. */
  knows(runId: Id): boolean {
    return this.sending || this.entries.some((entry) => entry.runId === runId);
  }

  /**
   * Loads the newest messages of the stored conversation, and follows its active run from the beginning. What was
   * loaded before them stays; `until`: a message that is shown afterwards, wherever it is on the branch.
   */
  async load(until: Id | null = null): Promise<void> {
    if (!this.id) return;
    this.loading = true;
    this.error = null;
    try {
      this.#show(await this.#upToDate(this.id, until));
      void this.#loadLastRun();
    } catch (error) {
      this.gone = error instanceof Problem && (error.status === 404 || error.code === "validation_failed");
      this.error = this.gone ? "There is no such conversation. It may have been deleted." : explain(error);
    }
    this.loading = false;
  }

  async #upToDate(id: Id, until: Id | null): Promise<Conversation> {
    for (;;) {
      const questions = this.#questions;
      const conversation = this.#joined(await calls.conversation(id, PAGE));
      const whole = until === null ? conversation : await readUntil(id, conversation, until);
      if (questions === this.#questions) return whole;
    }
  }

  /** With the messages that were loaded before its own: what comes before a message never changes. */
  #joined(conversation: Conversation): Conversation {
    const [first] = conversation.messages;
    const place = this.#messages.findIndex(({ id }) => id === first?.id);
    if (place < 0) return conversation;
    const messages = [...this.#messages.slice(0, place), ...conversation.messages];
    return { ...conversation, messages, has_earlier: this.hasEarlier };
  }

  /** Adds the messages before those that are shown. */
  async loadEarlier(limit = PAGE): Promise<void> {
    const [first] = this.#messages;
    if (!this.id || !first || !this.hasEarlier || this.loadingEarlier) return;
    this.loadingEarlier = true;
    this.earlierError = null;
    try {
      const { messages, has_earlier } = await calls.conversation(this.id, limit, first.id);
      if (this.#messages[0]?.id === first.id) {
        this.#messages = [...messages, ...this.#messages];
        this.entries = [...entriesOf(messages), ...this.entries];
        this.hasEarlier = has_earlier;
      }
    } catch (error) {
      this.earlierError = explain(error);
    }
    this.loadingEarlier = false;
  }

  /** Shows the whole conversation. Throws if the server does not answer. */
  async loadAll(): Promise<void> {
    while (this.hasEarlier) {
      await this.loadEarlier(MOST);
      if (this.earlierError) throw new Error(this.earlierError);
    }
  }

  /** All entries, also those before the ones that are shown. Throws if the server does not answer. */
  async allEntries(): Promise<Entry[]> {
    const [first] = this.#messages;
    if (!this.id || !first || !this.hasEarlier) return this.entries;
    const earlier: Message[] = [];
    for (let before = first.id, more = true; more;) {
      const page = await calls.conversation(this.id, MOST, before);
      earlier.unshift(...page.messages);
      before = page.messages[0]?.id ?? before;
      more = page.has_earlier;
    }
    return [...entriesOf(earlier), ...this.entries];
  }

  /** Replaces the summary. Throws if the server does not take it. */
  async summarize(messageId: Id, text: string): Promise<void> {
    if (this.id) this.summary = await calls.summarize(this.id, messageId, text);
  }

  /**
   * The id of the last message that is shown here, null in an empty conversation. Call it before a question is added;
   * it never becomes a message that came later.
   */
  async lastSeen(): Promise<Id | null> {
    if (!this.#isEndUnknown) return this.#end;
    return await (this.#settling ?? this.#settle());
  }

  /** Optimistic update: shows a question before the server has accepted it. */
  ask(unsent: Unsent): void {
    this.#questions += 1;
    const question = questionOf({ ...unsent, failed: false });
    this.entries = [...this.entries.filter(({ key }) => key !== question.key), question];
  }

  /** The server has accepted the question: follows its run. */
  accepted({ requestId }: Unsent, runId: Id): void {
    this.#questions += 1;
    const isKnown = this.entries.some((entry) => entry.key !== requestId && entry.runId === runId);
    const question = this.entries.find(({ key }) => key === requestId);
    this.withdraw(requestId);
    if (question?.kind === "question" && !isKnown) {
      const accepted = { ...question, runId, unsent: null };
      this.entries = [...this.#stored, accepted, ...this.unsent];
    }
    this.join(runId);
  }

  /** The question could not be sent: it stays, and can be sent again. */
  refused({ requestId }: Unsent): void {
    this.entries = this.entries.map((entry) =>
      entry.key === requestId && entry.kind === "question" && entry.unsent
        ? { ...entry, unsent: { ...entry.unsent, failed: true } }
        : entry,
    );
  }

  /** Removes an unsent question. */
  withdraw(requestId: string): void {
    this.entries = this.entries.filter(({ key }) => key !== requestId);
  }

  /** The questions that the server has not accepted; they come last. */
  get unsent(): Question[] {
    return this.entries.filter((entry) => entry.kind === "question").filter(({ unsent }) => unsent !== null);
  }

  get #stored(): Entry[] {
    return this.entries.filter((entry) => entry.kind === "answer" || !entry.unsent);
  }

  /** Follows a run from its beginning, unless it is followed already. */
  join(runId: Id): void {
    if (this.active?.runId === runId) return;
    this.leave();
    const answer = new Answer(runId);
    this.entries = [
      ...this.#stored.filter((entry) => entry.kind === "question" || entry.runId !== runId),
      answer,
      ...this.unsent,
    ];
    this.active = answer;
    this.#isEndUnknown = true;
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
    this.#settling = this.#settle();
    await this.#settling;
    this.#settling = null;
  }

  /**
   * Adds message ids to the questions and answers of this tab, so that they can be edited and regenerated. Returns the
   * last message that is shown here: messages that another tab has added since are not.
   */
  async #settle(): Promise<Id | null> {
    if (!this.id) return null;
    const last = this.#stored.at(-1)?.runId ?? null;
    try {
      const conversation = this.#joined(await calls.conversation(this.id, PAGE));
      const { messages } = conversation;
      const end = messages.filter((message) => message.run_id === last).at(-1)?.id ?? this.#end;
      if (this.#isEndUnknown && !this.active && this.#stored.at(-1)?.runId === last) {
        this.#end = end;
        this.#isEndUnknown = false;
      }
      const of = (role: Message["role"], runId: Id | null) =>
        messages.find((message) => message.role === role && message.run_id === runId && runId);
      this.entries = this.entries.map((entry) => {
        const message = of(entry.kind === "question" ? "user" : "assistant", entry.runId);
        if (!message) return entry;
        const known = { messageId: message.id, siblings: message.siblings };
        if (entry.kind === "question") return { ...entry, ...known };
        const last = messages.findLast(({ run_id }) => run_id === entry.runId) ?? message;
        const { id: lastMessageId, model } = last;
        return Object.assign(entry, known, { lastMessageId, model: model ?? entry.model });
      });
      this.#keep(conversation);
      return end;
    } catch (error) {
      reportUnlessRequestFailure(error); // retried when a message is sent, or the conversation is loaded next
      return this.#end;
    }
  }

  /**
   * Marks answers that were undone in another tab, and takes over the summary, without touching anything else, such as
   * a streaming answer.
   */
  async markUndone(): Promise<void> {
    const [first] = this.#messages;
    if (!this.id || (!this.summary && !this.entries.some(canBeUndone))) return;
    try {
      const newest = await calls.conversation(this.id, PAGE);
      const { messages, summary } = first ? await readUntil(this.id, newest, first.id) : newest;
      if (summary?.message_id === this.summary?.message_id) this.summary = summary ?? null;
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
    const last = this.#stored.at(-1);
    if (!last?.runId || this.active) return;
    try {
      const run = await calls.run(last.runId);
      if (this.#stored.at(-1) !== last || this.active) return;
      // the run began between the server's two reads of the conversation
      if (!run.finished_at) return this.join(last.runId);
      const answer = last.kind === "answer" ? last : new Answer(last.runId);
      applyRun(answer, run);
      if (answer !== last && !answer.running) this.entries = [...this.#stored, answer, ...this.unsent];
    } catch (error) {
      reportUnlessRequestFailure(error); // the conversation is readable without it
    }
  }

  #show(conversation: Conversation): void {
    this.title = conversation.title;
    this.instructions = conversation.instructions;
    this.model = conversation.model ?? null;
    this.effort = conversation.effort ?? null;
    const runId = conversation.active_run_id ?? null;
    // the stream replays the running answer from its beginning, so its stored messages are left out
    const past = conversation.messages.filter(
      (message) => message.role === "user" || message.run_id !== runId || !runId,
    );
    const running = this.active;
    this.#keep(conversation);
    this.#confirm(conversation.messages);
    this.entries = [
      ...entriesOf(past, runId !== null),
      ...(running && running.runId === runId ? [running] : []),
      ...this.unsent,
    ];
    this.#end = conversation.messages.at(-1)?.id ?? null;
    if (runId) this.join(runId);
    else this.leave();
    this.#isEndUnknown = runId !== null;
  }

  #keep({ messages, has_earlier, summary, left_out_until }: Conversation): void {
    this.#messages = messages;
    this.hasEarlier = has_earlier;
    this.summary = summary ?? null;
    this.leftOutUntil = left_out_until ?? null;
  }

  /** Removes questions in doubt that the server has. */
  #confirm(messages: Message[]): void {
    const arrived = (unsent: Unsent) =>
      messages.some(
        ({ role, text, created_at }) =>
          role === "user" && text === unsent.text && Date.parse(created_at) > unsent.at - CLOCKS_DIFFER_MS,
      );
    for (const unsent of this.#inDoubt.filter(arrived)) {
      this.withdraw(unsent.requestId);
      this.confirmed(unsent);
    }
    this.#inDoubt = [];
  }
}

/** Reads on before the messages of a conversation, until `until` is among them, or there are no more. */
async function readUntil(id: Id, newest: Conversation, until: Id): Promise<Conversation> {
  let { messages, has_earlier } = newest;
  while (has_earlier && !messages.some((message) => message.id === until)) {
    const page = await calls.conversation(id, MOST, messages[0]?.id);
    messages = [...page.messages, ...messages];
    has_earlier = page.has_earlier;
  }
  return { ...newest, messages, has_earlier };
}

function questionOf(unsent: Unsent): Question {
  const { requestId, text } = unsent;
  return { kind: "question", key: requestId, messageId: null, siblings: [], text, runId: null, unsent };
}
