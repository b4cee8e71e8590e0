/** The shapes of the wire, as the protocol names them. */

export type Id = string;

export interface User {
  id: Id;
  username: string;
}

export interface Actor {
  kind: "user" | "agent" | "api" | "mcp";
  run_id?: Id | null;
  call_id?: string | null;
}

export interface NoteHead {
  id: Id;
  title: string;
  tags: string[];
  pinned: boolean;
  archived: boolean;
  /** Counts the note's writes; a write names the version it saw. */
  version: number;
  created_at: string;
  updated_at: string;
  deleted_at?: string | null;
  updated_by: Actor;
}

/** A note in a list: the first 200 characters of its text instead of its body. */
export interface NoteSummary extends NoteHead {
  preview: string;
}

export interface Note extends NoteHead {
  body: string;
}

export interface NotePage {
  notes: NoteSummary[];
  next_cursor?: string | null;
}

/** `snippet` marks matches with `<mark>`; everything else in it is escaped. */
export interface SearchHit {
  note: NoteSummary;
  snippet: string;
  rank: number;
}

export type ChangeOp = "create" | "update" | "delete" | "restore";

/** `cursor` counts a user's note changes 1, 2, 3 … without a gap. */
export interface NoteChange {
  op: ChangeOp;
  id: Id;
  version: number;
  cursor: number;
  actor: Actor;
}

/** `note` as it is now; left out where it is in the trash. */
export interface ChangedNote extends NoteChange {
  note?: NoteSummary | null;
}

export interface ChangeFeed {
  changes: ChangedNote[];
  cursor: number;
}

export interface ModelStatus {
  mode: "live" | "demo";
  model: string;
  provider: string;
}

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export interface ToolCall {
  call_id: string;
  name: string;
  arguments: Json;
  status: "running" | "ok" | "error" | "denied";
  result?: Json;
  duration_ms?: number | null;
}

export interface Message {
  id: Id;
  role: "user" | "assistant";
  text: string;
  run_id?: Id | null;
  status: "complete" | "streaming" | "cancelled" | "failed";
  created_at: string;
  tool_calls: ToolCall[];
  /** Where there are other versions of it, the ids of all of them, itself included, oldest first. */
  siblings: Id[];
}

export interface ConversationSummary {
  id: Id;
  title: string;
  instructions: string;
  created_at: string;
  updated_at: string;
  active_run_id?: Id | null;
}

/** `messages` of the present branch, whose last is `current_message_id`. */
export interface Conversation extends ConversationSummary {
  messages: Message[];
  current_message_id?: Id | null;
}

export interface ConversationPage {
  conversations: ConversationSummary[];
  next_cursor?: string | null;
}

/** A call that is not made before a person allows it. */
export interface CallWaiting {
  call_id: string;
  name: string;
  arguments: Json;
}

/** `remember`: the same tool needs no word in this conversation from then on. `reason`: why not, for the assistant. */
export interface Decision {
  call_id: string;
  approve: boolean;
  remember?: "conversation";
  reason?: string;
}

/** Which of the assistant's changes wait for the person's word: all, those that delete, or none. */
export type Approval = "always" | "destructive" | "never";

export interface Settings {
  approval: Approval;
  instructions: string;
  theme: "system" | "light" | "dark";
}

/** `op`: what taking the change back did to the note. `reason` is a sentence for a person. */
export interface UndoneRun {
  undone: { op: ChangeOp; note: NoteSummary }[];
  conflicts: { reason: string; note: NoteSummary }[];
}

/** One version of a note: what made it, who, and when. */
export interface RevisionSummary {
  version: number;
  op: ChangeOp;
  title: string;
  actor: Actor;
  created_at: string;
}

export interface Revision extends RevisionSummary {
  body: string;
  tags: string[];
}

export interface RevisionPage {
  revisions: RevisionSummary[];
  next_cursor?: string | null;
}

export type RunStatus = "queued" | "running" | "waiting" | "completed" | "failed" | "cancelled";

export interface Usage {
  input_tokens: number;
  output_tokens: number;
  requests: number;
}

export interface RunError {
  code: string;
  message: string;
  retryable: boolean;
}

export interface Run {
  id: Id;
  conversation_id: Id;
  status: RunStatus;
  attempt: number;
  last_event_id: number;
  usage: Usage;
  created_at: string;
  finished_at?: string | null;
  error?: RunError | null;
  pending?: CallWaiting[];
}

export interface RunStarted {
  run_id: Id;
  conversation_id: Id;
}

/** The data of each event of a run, by its name. */
export interface RunEvents {
  run: { run_id: Id; conversation_id: Id; model: string; mode: "live" | "demo" };
  token: { token: string };
  reasoning: { token: string };
  tool_call: { call_id: string; name: string };
  tool_args: { call_id: string; delta: string };
  approval_required: { calls: CallWaiting[] };
  approval_decided: { call_id: string; approve: boolean; by: Actor["kind"] };
  tool_done: {
    call_id: string;
    name: string;
    status: "ok" | "error" | "denied";
    arguments?: Json;
    result?: Json;
    duration_ms: number;
    truncated?: boolean;
  };
  notes_changed: { op: ChangeOp; id: Id; version: number; call_id: string };
  retrying: { attempt: number; max_attempts: number; delay_ms: number; reason: string; model: string };
  message: { message_id: Id; text: string };
  restart: { attempt: number };
  run_error: RunError;
  done: {
    done: true;
    status: "completed" | "failed" | "cancelled";
    usage?: Usage;
    finish_reason?: string | null;
  };
}

/** `id` is the event's number in its run; null for what the gateway itself adds. */
export type RunEvent = {
  [Name in keyof RunEvents]: { id: number | null; name: Name; data: RunEvents[Name] };
}[keyof RunEvents];

/** `total` counts the files found so far, those in archives included. */
export interface ImportStatus {
  status: "uploading" | "queued" | "running" | "completed" | "failed";
  processed: number;
  total: number;
  created: number;
  updated: number;
  unchanged: number;
  errors: { name: string; reason: string }[];
}

/** What the server says over the WebSocket. */
export type ServerMessage =
  | { type: "hello"; cursor: number; server_time: string }
  | ({ type: "note_changed" } & NoteChange)
  | { type: "run_changed"; run_id: Id; conversation_id: Id; status: RunStatus }
  | { type: "conversation_changed"; op: "create" | "update" | "delete"; id: Id }
  | { type: "settings_changed" }
  | { type: "import_progress"; import_id: Id; processed: number; total: number }
  | { type: "resync" }
  | { type: "pong" };
