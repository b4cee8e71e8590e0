/* Made from the contracts by `make types`: change those, not this. */

/**
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "JsonValue".
 */
export type JsonValue = null | boolean | number | string | JsonValue[] | {[key: string]: JsonValue};

export interface Contracts {}
/**
 * `by`: the kind of client through which the user decided.
 *
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "ApprovalDecided".
 */
export interface ApprovalDecided {
  call_id: string;
  approve: boolean;
  by: "user" | "agent" | "api" | "mcp";
}
/**
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "ApprovalRequired".
 */
export interface ApprovalRequired {
  calls: CallWaiting[];
}
/**
 * A tool call that is made only after the user's approval.
 *
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "CallWaiting".
 */
export interface CallWaiting {
  call_id: string;
  name: string;
  arguments: JsonValue;
}
/**
 * A model that may be chosen. `context_window`: in tokens, where it is known; `images`: whether it reads them;
 * `reasoning`: the efforts that it knows; `price_in`, `price_out`: of a million tokens.
 *
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "AvailableModel".
 */
export interface AvailableModel {
  id: string;
  label: string;
  provider: string;
  context_window?: number | null;
  images: boolean;
  reasoning: string[];
  price_in?: string | null;
  price_out?: string | null;
}
/**
 * `default`: the id of the model that answers where none is chosen. `currency`: of the prices (ISO 4217), if there
 * are any.
 *
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "AvailableModels".
 */
export interface AvailableModels {
  models: AvailableModel[];
  default: string;
  currency?: string | null;
}
/**
 * `cursor`: of the last of `changes`, or the user's newest if there are none. `expired`: some of the changes after
 * `since` are deleted; load everything again.
 *
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "ChangeFeed".
 */
export interface ChangeFeed {
  changes: ChangedNote[];
  cursor: number;
  expired: boolean;
}
/**
 * A change in the feed. `note`: its current summary; None if it is in the trash or purged.
 *
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "ChangedNote".
 */
export interface ChangedNote {
  op: "create" | "update" | "delete" | "restore";
  id: string;
  version: number;
  cursor: number;
  actor: PublicActor;
  note?: NoteSummary | null;
}
/**
 * The public part of an actor: through what a change was made, without the user.
 *
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "PublicActor".
 */
export interface PublicActor {
  kind: "user" | "agent" | "api" | "mcp";
  run_id?: string | null;
  call_id?: string | null;
}
/**
 * A note in a list: `preview` is the first 200 characters of its text, without Markdown marks.
 *
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "NoteSummary".
 */
export interface NoteSummary {
  title: string;
  tags: string[];
  pinned: boolean;
  archived: boolean;
  id: string;
  version: number;
  created_at: string;
  updated_at: string;
  deleted_at?: string | null;
  updated_by: PublicActor;
  preview: string;
  aliases: string[];
}
/**
 * `messages`: those of the current branch, or some of them; the last one of all is `current_message_id`.
 * `has_earlier`: there are others before them. `summary`: the newest on the branch. `left_out_until`: the last message
 * that the model which answered last was sent neither itself nor in a summary; those before it that come after the
 * summary were not sent either.
 *
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "Conversation".
 */
export interface Conversation {
  id: string;
  title: string;
  instructions: string;
  created_at: string;
  updated_at: string;
  model?: string | null;
  effort?: string | null;
  active_run_id?: string | null;
  messages: Message[];
  current_message_id?: string | null;
  has_earlier: boolean;
  summary?: Summary | null;
  left_out_until?: string | null;
}
/**
 * `status` of an assistant's message: `complete`, or how its run ended before the message was whole. `siblings`:
 * the ids of all versions of this message, itself included, oldest first; empty if it has only one. `undone`: the
 * changes that its run made to notes were undone. `model`: the one that wrote an assistant's message; `usage`: of
 * its run. `run_status`, `error`: of its run; a run that ended early may have no message of the assistant.
 * `finish_reason`: of an assistant's message, why the model ended its run's last response: `stop`, `length` (its
 * output limit), `content_filter`, or another word of its server.
 *
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "Message".
 */
export interface Message {
  id: string;
  role: "user" | "assistant";
  text: string;
  run_id?: string | null;
  status: "complete" | "streaming" | "cancelled" | "failed";
  created_at: string;
  tool_calls: ToolCall[];
  siblings: string[];
  undone: boolean;
  model?: string | null;
  usage?: Usage | null;
  run_status?: ("queued" | "running" | "waiting" | "completed" | "failed" | "cancelled") | null;
  error?: RunError | null;
  finish_reason?: string | null;
}
/**
 * One call of a tool. `arguments` as the model sent them; `result` as the model received it, cut at 4 KiB.
 *
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "ToolCall".
 */
export interface ToolCall {
  call_id: string;
  name: string;
  arguments: JsonValue;
  status: "running" | "ok" | "error" | "denied";
  result: null | boolean | number | string | JsonValue[] | {[key: string]: JsonValue};
  duration_ms?: number | null;
}
/**
 * Tokens as the model's servers have counted them. `requests`: those that were answered at least in part. `cost`:
 * of all requests to models with a price, in `currency` (ISO 4217), at the prices of that time; None if there were
 * none.
 *
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "Usage".
 */
export interface Usage {
  input_tokens: number;
  output_tokens: number;
  requests: number;
  cost?: string | null;
  currency?: string | null;
}
/**
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "RunError".
 */
export interface RunError {
  code: string;
  message: string;
  retryable: boolean;
}
/**
 * What the model is sent instead of the messages up to `message_id`. `model`: the one that wrote it; `edited_at`:
 * when the user last changed it.
 *
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "Summary".
 */
export interface Summary {
  message_id: string;
  text: string;
  model: string;
  created_at: string;
  edited_at?: string | null;
}
/**
 * A conversation was created, deleted or changed: renamed, continued, or the changes of one of its answers were
 * undone. On `user.<id>.signal`.
 *
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "ConversationChanged".
 */
export interface ConversationChanged {
  type: "conversation_changed";
  op: "create" | "update" | "delete";
  id: string;
}
/**
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "ConversationPage".
 */
export interface ConversationPage {
  conversations: ConversationSummary[];
  next_cursor?: string | null;
}
/**
 * `model`: the one that was chosen for it; None, or one that is no longer available: the default answers. `effort`:
 * the one that was chosen for it, where its model knows it; None: the model's own.
 *
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "ConversationSummary".
 */
export interface ConversationSummary {
  id: string;
  title: string;
  instructions: string;
  created_at: string;
  updated_at: string;
  model?: string | null;
  effort?: string | null;
  active_run_id?: string | null;
}
/**
 * `count`: the notes that have this tag or one nested in it: `work/letters` counts for `work` too.
 *
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "CountedTag".
 */
export interface CountedTag {
  tag: string;
  count: number;
}
/**
 * Newest day first, of each the model that cost most.
 *
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "DailyUsage".
 */
export interface DailyUsage {
  days: ModelDay[];
}
/**
 * What one model was used on one day, in UTC: by answers that stay and by those that were deleted since.
 *
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "ModelDay".
 */
export interface ModelDay {
  input_tokens: number;
  output_tokens: number;
  requests: number;
  cost?: string | null;
  currency?: string | null;
  day: string;
  model: string;
}
/**
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "Done".
 */
export interface Done {
  done: true;
  status: "completed" | "failed" | "cancelled";
  usage: Usage;
  finish_reason?: string | null;
}
/**
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "EmptiedTrash".
 */
export interface EmptiedTrash {
  deleted: number;
  has_more: boolean;
}
/**
 * What anybody may know of this server. `has_accounts`: without any, the first may be created whatever `sign_up`
 * is.
 *
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "Instance".
 */
export interface Instance {
  name: string;
  sign_up: "open" | "closed";
  has_accounts: boolean;
}
/**
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "MessageDone".
 */
export interface MessageDone {
  message_id: string;
  text: string;
}
/**
 * Which model answers. `demo`: the built-in one, which needs no provider. `tools`: false once its server has
 * refused to offer it tools; then it answers, and can neither read nor change notes.
 *
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "ModelStatus".
 */
export interface ModelStatus {
  mode: "live" | "demo";
  model: string;
  provider: string;
  tools: boolean;
}
/**
 * A note with its whole text, and its properties in their order. `aliases`: those among them that name the note.
 *
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "Note".
 */
export interface Note {
  title: string;
  tags: string[];
  pinned: boolean;
  archived: boolean;
  body: string;
  properties: {
    [k: string]: JsonValue;
  };
  id: string;
  version: number;
  created_at: string;
  updated_at: string;
  deleted_at?: string | null;
  updated_by: PublicActor;
  aliases: string[];
}
/**
 * A note changed, whoever changed it. On `user.<id>.notes`, in cursor order.
 *
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "NoteChanged".
 */
export interface NoteChanged {
  op: "create" | "update" | "delete" | "restore";
  id: string;
  version: number;
  cursor: number;
  actor: PublicActor;
  type: "note_changed";
}
/**
 * Everything that a writer may change of a note: what two versions of it differ in.
 *
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "NoteContent".
 */
export interface NoteContent {
  title: string;
  tags: string[];
  pinned: boolean;
  archived: boolean;
  body: string;
  properties: {
    [k: string]: JsonValue;
  };
}
/**
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "NotePage".
 */
export interface NotePage {
  notes: NoteSummary[];
  next_cursor?: string | null;
}
/**
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "NotesChanged".
 */
export interface NotesChanged {
  op: "create" | "update" | "delete" | "restore";
  id: string;
  version: number;
  call_id: string;
}
/**
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "Reasoning".
 */
export interface Reasoning {
  token: string;
}
/**
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "Restarted".
 */
export interface Restarted {
  attempt: number;
}
/**
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "Retrying".
 */
export interface Retrying {
  attempt: number;
  max_attempts: number;
  delay_ms: number;
  reason: string;
  model: string;
}
/**
 * One version with its content.
 *
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "Revision".
 */
export interface Revision {
  title: string;
  tags: string[];
  pinned: boolean;
  archived: boolean;
  body: string;
  properties: {
    [k: string]: JsonValue;
  };
  version: number;
  op: "create" | "update" | "delete" | "restore";
  actor: PublicActor;
  created_at: string;
}
/**
 * Newest first. Version numbers may have gaps: of the versions of a burst only the last is listed.
 *
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "RevisionPage".
 */
export interface RevisionPage {
  revisions: RevisionSummary[];
  next_cursor?: string | null;
}
/**
 * One version of a note: the operation, the actor, and the time.
 *
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "RevisionSummary".
 */
export interface RevisionSummary {
  version: number;
  op: "create" | "update" | "delete" | "restore";
  title: string;
  actor: PublicActor;
  created_at: string;
}
/**
 * `attempt` counts the claims of the run by workers; `last_event_id`, `<attempt>.<number>`, is the newest event
 * stored so far. `model`: the one that answers; empty while that is open. `pending`: the tool calls that wait for a
 * decision.
 *
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "Run".
 */
export interface Run {
  id: string;
  conversation_id: string;
  status: "queued" | "running" | "waiting" | "completed" | "failed" | "cancelled";
  attempt: number;
  last_event_id: string;
  model: string;
  usage: Usage;
  created_at: string;
  finished_at?: string | null;
  error?: RunError | null;
  pending: CallWaiting[];
}
/**
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "RunBegan".
 */
export interface RunBegan {
  run_id: string;
  conversation_id: string;
  model: string;
  mode: "live" | "demo";
}
/**
 * A run started, waits for a decision, or ended. On `user.<id>.signal`.
 *
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "RunChanged".
 */
export interface RunChanged {
  type: "run_changed";
  run_id: string;
  conversation_id: string;
  status: "queued" | "running" | "waiting" | "completed" | "failed" | "cancelled";
}
/**
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "RunFailed".
 */
export interface RunFailed {
  code: "model_unavailable" | "model_rejected" | "rate_limited" | "timeout" | "max_turns" | "internal";
  message: string;
  retryable: boolean;
}
/**
 * `undone`: what the replaced answers had changed and was taken back before the run began.
 *
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "RunRestarted".
 */
export interface RunRestarted {
  run_id: string;
  conversation_id: string;
  undone: UndoneNote[];
}
/**
 * `op`: what undoing did to the note. `note`: as it is now.
 *
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "UndoneNote".
 */
export interface UndoneNote {
  op: "create" | "update" | "delete" | "restore";
  note: NoteSummary;
}
/**
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "RunStarted".
 */
export interface RunStarted {
  run_id: string;
  conversation_id: string;
}
/**
 * `snippet` is safe HTML: matches are in `<mark>`, everything else is escaped. A better match has a higher
 * `rank`.
 *
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "SearchHit".
 */
export interface SearchHit {
  note: NoteSummary;
  snippet: string;
  rank: number;
}
/**
 * A page of what was found, best first. `total`: how many notes are found over all pages; None if the search took
 * too long to know. `total_is_minimum`: more notes may match, which no page has: a bounded number is looked at.
 *
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "SearchResults".
 */
export interface SearchResults {
  results: SearchHit[];
  next_cursor?: string | null;
  total?: number | null;
  total_is_minimum: boolean;
}
/**
 * A session of the user. `last_used_at` is exact to a day; `user_agent` is what the browser calls itself.
 *
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "SignedInDevice".
 */
export interface SignedInDevice {
  id: string;
  created_at: string;
  last_used_at: string;
  user_agent: string;
  is_current: boolean;
}
/**
 * The one used last is the first.
 *
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "SignedInDevices".
 */
export interface SignedInDevices {
  sessions: SignedInDevice[];
}
/**
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "StorageUsage".
 */
export interface StorageUsage {
  conversations: number;
  conversations_max: number;
  files: number;
  files_max: number;
  file_bytes: number;
  file_bytes_max: number;
  notes: number;
  notes_max: number;
  bytes: number;
  bytes_max: number;
  history_bytes: number;
  history_bytes_max: number;
}
/**
 * Earlier messages, up to `message_id`, do not fit into the request to the model. `began`: they are being
 * summarised; `done`: the model gets the summary; `left_out`: there is none, and it gets nothing of them that an
 * earlier summary does not have.
 *
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "Summarized".
 */
export interface Summarized {
  message_id: string;
  status: "began" | "done" | "left_out";
}
/**
 * The tags of the listed notes, and those that they are nested in, from A to Z. `is_complete`: False if there are
 * more than `TAGS_COUNTED_MAX`, of which these are the most used.
 *
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "TagCounts".
 */
export interface TagCounts {
  tags: CountedTag[];
  is_complete: boolean;
}
/**
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "Token".
 */
export interface Token {
  token: string;
}
/**
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "ToolArgs".
 */
export interface ToolArgs {
  call_id: string;
  delta: string;
}
/**
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "ToolCallBegan".
 */
export interface ToolCallBegan {
  call_id: string;
  name: string;
}
/**
 * `arguments`: parsed if they are JSON, else the text that the model sent. `truncated`: `result` was cut.
 *
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "ToolDone".
 */
export interface ToolDone {
  call_id: string;
  name: string;
  status: "ok" | "error" | "denied";
  arguments: JsonValue;
  result: JsonValue;
  duration_ms: number;
  truncated: boolean;
}
/**
 * What the page calls a call of the tool. `request`: in a question for approval; then while it runs, after it
 * succeeded, and after it failed. `with_title`: the note's title follows.
 *
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "ToolLabels".
 */
export interface ToolLabels {
  request: string;
  running: string;
  done: string;
  failed: string;
  with_title: boolean;
}
/**
 * A note that was not changed. `reason` is a sentence for a person.
 *
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "UndoConflict".
 */
export interface UndoConflict {
  reason: string;
  note: NoteSummary;
}
/**
 * This interface was referenced by `Contracts`'s JSON-Schema
 * via the `definition` "UndoneRun".
 */
export interface UndoneRun {
  /**
   * Notes that are as they were before the run.
   */
  undone: UndoneNote[];
  /**
   * Notes that someone else has changed since.
   */
  conflicts: UndoConflict[];
}
