/** One answer of the assistant as it is shown: text and tool calls in their order, built from a run's events. */

import type {
  Id,
  Json,
  Message,
  NoteSummary,
  Run,
  RunError,
  RunEvent,
  RunEvents,
  ToolCall,
  Usage,
} from "../api/types.ts";
import { onFrame } from "../ui/frame.ts";

export class TextPart {
  readonly kind = "text";
  readonly key = crypto.randomUUID();
  text = $state("");
  /** Set once the whole text is known; until then it grows. */
  messageId = $state<Id | null>(null);

  constructor(text = "", messageId: Id | null = null) {
    this.text = text;
    this.messageId = messageId;
  }
}

export type ToolStatus = "running" | "ok" | "error" | "denied" | "stopped";

export class ToolPart {
  readonly kind = "tool";
  readonly key: string;
  readonly callId: string;
  readonly name: string;
  status = $state<ToolStatus>("running");
  /** The arguments' JSON as far as it has come. */
  argumentsText = $state("");
  arguments = $state.raw<Json | undefined>(undefined);
  result = $state.raw<Json | undefined>(undefined);
  truncated = $state(false);
  durationMs = $state<number | null>(null);
  noteId = $state<Id | null>(null);

  constructor(callId: string, name: string) {
    this.key = callId;
    this.callId = callId;
    this.name = name;
  }

  static stored(call: ToolCall): ToolPart {
    const part = new ToolPart(call.call_id, call.name);
    part.status = call.status === "running" ? "stopped" : call.status;
    part.arguments = call.arguments;
    part.result = call.result ?? null;
    part.durationMs = call.duration_ms ?? null;
    return part;
  }
}

export type Part = TextPart | ToolPart;
export type AnswerStatus = "queued" | "streaming" | "completed" | "failed" | "cancelled";

export class Answer {
  readonly kind = "answer";
  readonly key: string;
  readonly runId: Id | null;
  parts = $state.raw<Part[]>([]);
  status = $state<AnswerStatus>("queued");
  error = $state.raw<RunError | null>(null);
  usage = $state.raw<Usage | null>(null);
  model = $state<string | null>(null);
  retrying = $state<string | null>(null);
  thinking = $state("");
  /** False while the stream is broken and being tried again. */
  connected = $state(true);
  /** A stop was asked for and has not been confirmed. */
  stopping = $state(false);
  #lastId = 0;
  #waiting = "";
  #flushSoon = onFrame(() => this.flush());

  constructor(runId: Id | null, key: string = crypto.randomUUID()) {
    this.runId = runId;
    this.key = key;
  }

  /** An answer of the past, from the messages of one run. */
  static stored(messages: Message[]): Answer {
    const last = messages.at(-1);
    const answer = new Answer(last?.run_id ?? null, messages[0]?.id);
    answer.parts = messages.flatMap((message) => [
      ...(message.text ? [new TextPart(message.text, message.id)] : []),
      ...message.tool_calls.map((call) => ToolPart.stored(call)),
    ]);
    answer.status = last?.status === "failed" || last?.status === "cancelled" ? last.status : "completed";
    return answer;
  }

  /** What a finished run knows that its messages do not. */
  recall(run: Run): void {
    if (run.status === "completed" || run.status === "failed" || run.status === "cancelled") {
      this.status = run.status;
    }
    this.error = run.error ?? null;
    this.usage = run.usage;
  }

  get running(): boolean {
    return this.status === "queued" || this.status === "streaming";
  }

  get text(): string {
    return this.parts.flatMap((part) => (part.kind === "text" ? [part.text] : [])).join("\n\n");
  }

  get tools(): ToolPart[] {
    return this.parts.filter((part) => part.kind === "tool");
  }

  /** Takes an event; one that was taken before changes nothing. */
  apply(event: RunEvent): void {
    if (event.id !== null) {
      if (event.id <= this.#lastId) return;
      this.#lastId = event.id;
    }
    if (event.name === "token") {
      this.#waiting += event.data.token;
      this.#flushSoon();
      return;
    }
    this.flush();
    this.#applyWhole(event);
  }

  /** Shows the tokens that wait for the next frame. */
  flush(): void {
    if (!this.#waiting) return;
    const text = this.#waiting;
    this.#waiting = "";
    this.retrying = null;
    this.status = "streaming";
    this.#openText().text += text;
  }

  #applyWhole(event: Exclude<RunEvent, { name: "token" }>): void {
    switch (event.name) {
      case "run":
        this.model = event.data.model;
        this.status = "streaming";
        return;
      case "reasoning":
        this.thinking += event.data.token;
        return;
      case "tool_call":
        this.#tool(event.data.call_id, event.data.name).argumentsText = "";
        return;
      case "tool_args":
        this.#tool(event.data.call_id, "").argumentsText += event.data.delta;
        return;
      case "tool_done":
        return this.#toolDone(event.data);
      case "notes_changed":
        this.#tool(event.data.call_id, "").noteId = event.data.id;
        return;
      case "retrying":
        this.retrying = event.data.reason || "The model did not answer.";
        return;
      case "message":
        return this.#message(event.data);
      case "restart":
        return this.#restart();
      case "run_error":
        this.error = event.data;
        return;
      case "done":
        return this.#done(event.data);
    }
  }

  #openText(): TextPart {
    const last = this.parts.at(-1);
    if (last?.kind === "text" && last.messageId === null) return last;
    const part = new TextPart();
    this.parts = [...this.parts, part];
    return part;
  }

  #tool(callId: string, name: string): ToolPart {
    const found = this.tools.find((part) => part.callId === callId);
    if (found) return found;
    const part = new ToolPart(callId, name);
    this.parts = [...this.parts, part];
    this.status = "streaming";
    this.retrying = null;
    return part;
  }

  #toolDone(data: RunEvents["tool_done"]): void {
    const part = this.#tool(data.call_id, data.name);
    part.status = data.status;
    part.arguments = data.arguments ?? null;
    part.result = data.result ?? null;
    part.truncated = data.truncated ?? false;
    part.durationMs = data.duration_ms;
  }

  /** One message, whole: it heals whatever its tokens made of it. */
  #message(data: RunEvents["message"]): void {
    const open = this.parts.find((part) => part.kind === "text" && part.messageId === null);
    if (open?.kind === "text") {
      if (open.text !== data.text) open.text = data.text;
      open.messageId = data.message_id;
      if (!data.text) this.parts = this.parts.filter((part) => part !== open);
    } else if (
      data.text &&
      !this.parts.some((part) => part.kind === "text" && part.messageId === data.message_id)
    ) {
      this.parts = [...this.parts, new TextPart(data.text, data.message_id)];
    }
  }

  /** Another worker goes on: what was not finished is said or done again. */
  #restart(): void {
    this.parts = this.parts.filter((part) =>
      part.kind === "text" ? part.messageId !== null : part.status !== "running",
    );
    this.retrying = null;
    this.thinking = "";
  }

  #done(data: RunEvents["done"]): void {
    for (const tool of this.tools) if (tool.status === "running") tool.status = "stopped";
    this.status = data.status;
    this.usage = data.usage ?? null;
    this.retrying = null;
    this.connected = true;
    this.stopping = false;
  }
}

/** What a note's id and title are called in a call's arguments or result, wherever they stand. */
export function noteOf(
  part: ToolPart,
  known: (id: Id) => NoteSummary | undefined,
): { id: Id | null; title: string | null } {
  const result = record(part.result);
  const given = record(part.arguments);
  const id = part.noteId ?? text(given["note_id"]) ?? text(result["id"]);
  const title =
    text(result["title"]) ?? text(given["title"]) ?? (id ? known(id)?.title : null) ?? partial(part, "title");
  return { id, title: title ?? null };
}

/** A string argument, also while it is still being written. */
export function argument(part: ToolPart, name: string): string | null {
  return text(record(part.arguments)[name]) ?? partial(part, name);
}

function partial(part: ToolPart, name: string): string | null {
  const found = new RegExp(`"${name}"\\s*:\\s*"((?:[^"\\\\]|\\\\.)*)`).exec(part.argumentsText);
  if (!found) return null;
  try {
    return JSON.parse(`"${found[1]}"`) as string;
  } catch {
    return null;
  }
}

function record(value: Json | undefined): Record<string, Json> {
  if (typeof value === "string" && value.startsWith("{")) {
    try {
      return record(JSON.parse(value) as Json);
    } catch {
      return {};
    }
  }
  return value && typeof value === "object" && !Array.isArray(value) ? value : {};
}

function text(value: Json | undefined): string | null {
  return typeof value === "string" && value ? value : null;
}
