/** One answer of the assistant as shown: text and tool calls in order, built from a run's events. */

import { newId } from "../../lib/ids.ts";
import { isAfter, type EventId } from "../../api/event-id.ts";
import type { Id, RunError, RunEvent, RunEvents, Usage } from "../../api/types.ts";
import { throttleToFrame } from "../../lib/throttle.ts";
import { TextPart, ToolPart, type Part } from "./parts.svelte.ts";

export type AnswerStatus = "queued" | "streaming" | "completed" | "failed" | "cancelled";

export class Answer {
  readonly kind = "answer";
  readonly key: string;
  readonly runId: Id | null;
  /** The id of its first message, once it is known. `siblings`: the alternative answers on other branches. */
  messageId = $state<Id | null>(null);
  siblings = $state.raw<Id[]>([]);
  /** The id of its last message, once it is known. */
  lastMessageId = $state<Id | null>(null);
  parts = $state.raw<Part[]>([]);
  status = $state<AnswerStatus>("queued");
  error = $state.raw<RunError | null>(null);
  usage = $state.raw<Usage | null>(null);
  /** Its changes to notes were undone. */
  undone = $state(false);
  /** The id of the model that answers, or did. */
  model = $state<string | null>(null);
  /** Another model answers than the one that began. */
  hasFallenBack = $state(false);
  /** Why the model's request is being repeated. */
  retrying = $state<string | null>(null);
  /** Earlier messages are being summarised for the model. */
  summarizing = $state(false);
  /** Why the model ended its last response, in the words of the contract. */
  finishReason = $state<string | null>(null);
  /** The model's server took no tools: it could neither read nor change notes. */
  withoutTools = $state(false);
  thinking = $state("");
  /** False while the stream is disconnected and waits for its retry. */
  connected = $state(true);
  /** A stop was requested and has not been confirmed. */
  stopping = $state(false);
  #last: EventId = { attempt: 0, number: 0 };
  #waiting = "";
  #flushSoon = throttleToFrame(() => this.flush());

  /** An answer that is loaded again has the same key, so that what is folded or open in it stays so. */
  constructor(runId: Id | null) {
    this.runId = runId;
    this.key = runId ?? newId();
  }

  get running(): boolean {
    return this.status === "queued" || this.status === "streaming";
  }

  get text(): string {
    return this.parts.flatMap((part) => (part.kind === "text" ? [part.text] : [])).join("\n\n");
  }

  /** The tool calls that wait for approval, in the order they were made. */
  get waiting(): ToolPart[] {
    return this.tools.filter((part) => part.status === "waiting");
  }

  get tools(): ToolPart[] {
    return this.parts.filter((part) => part.kind === "tool");
  }

  /** Applies an event; duplicates are ignored. */
  apply(event: RunEvent): void {
    if (event.id !== null) {
      if (!isAfter(event.id, this.#last)) return;
      this.#last = event.id;
    }
    if (event.name === "token") {
      this.#waiting += event.data.token;
      this.#flushSoon();
      return;
    }
    this.flush();
    this.#applyWhole(event);
  }

  /** Appends the tokens that are buffered for the next frame. */
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
      case "approval_required":
        return this.#requireApproval(event.data);
      case "approval_decided":
        return this.#decided(event.data);
      case "tool_done":
        return this.#toolDone(event.data);
      case "notes_changed":
        this.#tool(event.data.call_id, "").noteId = event.data.id;
        return;
      case "retrying":
        this.retrying = event.data.reason || "model_unavailable";
        this.withoutTools ||= event.data.reason === "no_tools";
        this.hasFallenBack ||= this.model !== null && event.data.model !== this.model;
        this.model = event.data.model;
        return;
      case "summary":
        this.summarizing = event.data.status === "began";
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
    if (found) {
      found.name ||= name;
      return found;
    }
    const part = new ToolPart(callId, name);
    this.parts = [...this.parts, part];
    this.status = "streaming";
    this.retrying = null;
    return part;
  }

  #requireApproval(data: RunEvents["approval_required"]): void {
    for (const call of data.calls) {
      const part = this.#tool(call.call_id, call.name);
      part.arguments = call.arguments;
      part.status = "waiting";
      part.deciding = false;
    }
  }

  #decided(data: RunEvents["approval_decided"]): void {
    const part = this.#tool(data.call_id, "");
    if (part.status === "waiting") part.status = data.approve ? "running" : "denied";
  }

  #toolDone(data: RunEvents["tool_done"]): void {
    const part = this.#tool(data.call_id, data.name);
    part.status = data.status;
    part.arguments = data.arguments ?? null;
    part.result = data.result ?? null;
    part.truncated = data.truncated ?? false;
    part.durationMs = data.duration_ms;
  }

  /** A complete message: replaces the text accumulated from its tokens, which may have gaps. */
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

  /** After a takeover by another worker: unfinished text and tool calls are dropped, because they are repeated. */
  #restart(): void {
    this.parts = this.parts.filter(
      (part) =>
        part.kind === "text"
          ? part.messageId !== null
          : part.status !== "running" || part.arguments !== undefined, // approved calls keep their arguments
    );
    this.retrying = null;
    this.summarizing = false;
    this.thinking = "";
  }

  #done(data: RunEvents["done"]): void {
    for (const tool of this.tools) {
      if (tool.status === "running" || tool.status === "waiting") tool.status = "stopped";
    }
    this.status = data.status;
    this.usage = data.usage ?? null;
    this.finishReason = data.finish_reason ?? null;
    this.retrying = null;
    this.summarizing = false;
    this.connected = true;
    this.stopping = false;
  }
}
