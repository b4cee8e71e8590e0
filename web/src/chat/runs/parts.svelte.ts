/** The parts of an answer: texts and tool calls. */

import { newId } from "../../lib/ids.ts";
import type { Id, Json, ToolCall } from "../../api/types.ts";

export class TextPart {
  readonly kind = "text";
  readonly key = newId();
  text = $state("");
  /** Set once the text is complete; until then it grows. */
  messageId = $state<Id | null>(null);

  constructor(text = "", messageId: Id | null = null) {
    this.text = text;
    this.messageId = messageId;
  }
}

/** `waiting`: for approval. */
export type ToolStatus = "running" | "waiting" | "ok" | "error" | "denied" | "stopped";

export class ToolPart {
  readonly kind = "tool";
  readonly key: string;
  readonly callId: string;
  /** Empty if the event with the name has not been received. */
  name = $state("");
  status = $state<ToolStatus>("running");
  /** The arguments' JSON received so far. */
  argumentsText = $state("");
  arguments = $state.raw<Json | undefined>(undefined);
  result = $state.raw<Json | undefined>(undefined);
  truncated = $state(false);
  durationMs = $state<number | null>(null);
  noteId = $state<Id | null>(null);
  /** The user's decision is in flight. */
  deciding = $state(false);

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
