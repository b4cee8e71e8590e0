/** The types of the HTTP and WebSocket API. Most are generated from the contracts (`generated/`) and named here. */

import type { EventId } from "./event-id.ts";
import type {
  ApprovalDecided,
  ApprovalRequired,
  ConversationChanged,
  Done,
  JsonValue,
  MessageDone,
  NoteChanged,
  NotesChanged,
  NoteSummary,
  PublicActor,
  Reasoning,
  Restarted,
  Retrying,
  RunBegan,
  RunChanged,
  RunFailed,
  Summarized,
  Token,
  ToolArgs,
  ToolCallBegan,
  ToolDone,
} from "./generated/contracts.ts";

export type {
  AvailableModel,
  AvailableModels,
  CallWaiting,
  ChangedNote,
  ChangeFeed,
  Conversation,
  ConversationPage,
  ConversationSummary,
  DailyUsage,
  Instance,
  Message,
  ModelDay,
  ModelStatus,
  Note,
  NoteContent,
  NotePage,
  NoteSummary,
  Revision,
  RevisionPage,
  RevisionSummary,
  Run,
  RunError,
  RunRestarted,
  RunStarted,
  CountedTag,
  EmptiedTrash,
  SearchHit,
  SearchResults,
  SignedInDevices,
  StorageUsage,
  Summary,
  TagCounts,
  ToolCall,
  UndoConflict,
  UndoneNote,
  UndoneRun,
  Usage,
} from "./generated/contracts.ts";

export type Id = string;
export type Json = JsonValue;
export type Actor = PublicActor;
export type NoteHead = Omit<NoteSummary, "preview">;
export type ChangeOp = NoteChanged["op"];
export type NoteChange = Omit<NoteChanged, "type">;
export type RunStatus = RunChanged["status"];

export interface User {
  id: Id;
  username: string;
}

/** `remember`: the tool needs no approval in this conversation from then on. `reason`: of a denial, for the model. */
export interface Decision {
  call_id: string;
  approve: boolean;
  remember?: "conversation";
  reason?: string;
}

/** Which of the assistant's tool calls require approval: all changes, those that delete, or none. */
export type ApprovalPolicy = "always" | "destructive" | "never";

export interface Settings {
  approval: ApprovalPolicy;
  instructions: string;
  theme: "system" | "light" | "dark";
}

/** The data of each event of a run, by its name. */
export interface RunEvents {
  run: RunBegan;
  token: Token;
  reasoning: Reasoning;
  tool_call: ToolCallBegan;
  tool_args: ToolArgs;
  approval_required: ApprovalRequired;
  approval_decided: ApprovalDecided;
  tool_done: ToolDone;
  notes_changed: NotesChanged;
  retrying: Retrying;
  summary: Summarized;
  message: MessageDone;
  restart: Restarted;
  run_error: RunFailed;
  done: Done;
}

/** `id` is null for events that the gateway adds itself. */
export type RunEvent = {
  [Name in keyof RunEvents]: { id: EventId | null; name: Name; data: RunEvents[Name] };
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
  warnings: { name: string; reason: string }[];
}

/** The server's WebSocket messages. */
export type ServerMessage =
  | { type: "hello"; cursor: number; server_time: string }
  | NoteChanged
  | RunChanged
  | ConversationChanged
  | { type: "settings_changed" }
  | { type: "import_progress"; import_id: Id; processed: number; total: number }
  | { type: "resync" }
  | { type: "pong" };
