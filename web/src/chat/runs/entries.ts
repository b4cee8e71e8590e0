/** The entries of a conversation: questions and answers, in order. */

import type { ModelChoice } from "../../api/calls.ts";
import type { Id, Message, Run } from "../../api/types.ts";
import { Answer } from "./answer.svelte.ts";
import { TextPart, ToolPart } from "./parts.svelte.ts";

/** A message that the server has not accepted yet. Its request id makes retries idempotent: they start one run only. */
export interface Unsent {
  requestId: string;
  text: string;
  /** The note that was open. */
  noteId: Id | null;
  /** Who is to answer, in a conversation that it begins. */
  choice?: ModelChoice;
  /** When it was sent, in milliseconds since 1970. */
  at: number;
  /** It could not be sent. False: it is being sent, or the page was closed meanwhile. */
  failed: boolean;
}

export interface Question {
  kind: "question";
  key: string;
  /** Null until it is known. */
  messageId: Id | null;
  /** The alternative messages on other branches, including this one. */
  siblings: Id[];
  text: string;
  runId: Id | null;
  /** Not accepted by the server yet: in flight, or it could not be sent. Null once it is accepted. */
  unsent: Unsent | null;
}

export type Entry = Question | Answer;

/**
 * Groups stored messages into questions and answers: the messages of one run are one answer. `running`: the last
 * question is being answered.
 */
export function entriesOf(messages: Message[], running = false): Entry[] {
  const entries: Entry[] = [];
  let group: Message[] = [];
  let unanswered: Message | null = null;
  const close = () => {
    if (group.length > 0) entries.push(storedAnswer(group));
    else if (unanswered) entries.push(...answerWithoutMessages(unanswered));
    group = [];
    unanswered = null;
  };
  for (const message of messages) {
    if (message.role === "user") {
      close();
      const { id, text, siblings } = message;
      const runId = message.run_id ?? null;
      entries.push({ kind: "question", key: id, messageId: id, siblings, text, runId, unsent: null });
      unanswered = message;
    } else {
      if (group[0] && group[0].run_id !== message.run_id) close();
      group.push(message);
    }
  }
  if (running) unanswered = null;
  close();
  return entries;
}

/** A finished answer, from the messages of one run. */
export function storedAnswer(messages: Message[]): Answer {
  const [first] = messages;
  const last = messages.at(-1);
  const answer = new Answer(last?.run_id ?? null);
  answer.messageId = first?.id ?? null;
  answer.lastMessageId = last?.id ?? null;
  answer.siblings = first?.siblings ?? [];
  answer.model = last?.model ?? null;
  answer.usage = last?.usage ?? null;
  answer.finishReason = last?.finish_reason ?? null;
  answer.undone = messages.some((message) => message.undone);
  answer.parts = messages.flatMap((message) => [
    ...(message.text ? [new TextPart(message.text, message.id)] : []),
    ...message.tool_calls.map((call) => ToolPart.stored(call)),
  ]);
  answer.status = last?.status === "failed" || last?.status === "cancelled" ? last.status : "completed";
  answer.error = answer.status === "failed" ? (last?.error ?? null) : null;
  return answer;
}

/** The answer of a run that ended before it wrote any message. */
function answerWithoutMessages({ run_id: runId, run_status: status, error }: Message): Answer[] {
  if (!runId || (status !== "failed" && status !== "cancelled")) return [];
  const answer = new Answer(runId);
  answer.status = status;
  answer.error = error ?? null;
  return [answer];
}

/** The id of the entry's last message; null until it is known. */
export function lastMessageOf(entry: Entry): Id | null {
  return entry.kind === "question" ? entry.messageId : entry.lastMessageId;
}

/** Whether the entry is an answer with tool calls that were not undone, as far as this page knows. */
export function canBeUndone(entry: Entry): boolean {
  return entry.kind === "answer" && !entry.undone && entry.tools.length > 0;
}

/** Adds what the run knows and its messages do not: status, error and usage. */
export function applyRun(answer: Answer, run: Run): void {
  if (run.status === "completed" || run.status === "failed" || run.status === "cancelled") {
    answer.status = run.status;
  }
  answer.error = run.error ?? null;
  answer.usage = run.usage;
}
