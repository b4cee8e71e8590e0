/** All calls of the HTTP API that the page makes. */

import { request } from "./http.ts";
import type { NoteFields } from "./note-fields.ts";
import type {
  AvailableModels,
  ChangeFeed,
  Conversation,
  ConversationPage,
  ConversationSummary,
  DailyUsage,
  Decision,
  EmptiedTrash,
  Id,
  ImportStatus,
  Instance,
  ModelStatus,
  Note,
  NoteContent,
  NotePage,
  Revision,
  RevisionPage,
  Run,
  RunRestarted,
  RunStarted,
  SearchResults,
  Settings,
  SignedInDevices,
  StorageUsage,
  Summary,
  TagCounts,
  UndoneRun,
  User,
} from "./types.ts";

function query(values: Record<string, string | number | boolean | null | undefined>): string {
  const given = Object.entries(values).filter(
    ([, value]) => value !== null && value !== undefined && value !== false,
  );
  const search = new URLSearchParams(given.map(([key, value]) => [key, String(value)])).toString();
  return search ? `?${search}` : "";
}

export interface NoteFilter {
  tag?: string | null;
  /** Only notes with this title, ignoring case and accents. */
  title?: string | null;
  archived?: boolean;
  trashed?: boolean;
}

export const auth = {
  login: (username: string, password: string) =>
    request<{ user: User }>("POST", "/api/auth/login", { body: { username, password } }),
  register: (username: string, password: string) =>
    request<{ user: User }>("POST", "/api/auth/register", { body: { username, password } }),
  logout: () => request<void>("POST", "/api/auth/logout"),
  /** What anybody may know of this server. */
  instance: () => request<Instance>("GET", "/api/instance"),
  devices: () => request<SignedInDevices>("GET", "/api/auth/sessions"),
  endSession: (id: Id) => request<void>("DELETE", `/api/auth/sessions/${id}`),
  endOtherSessions: () => request<void>("DELETE", "/api/auth/sessions"),
};

export const notes = {
  list: (filter: NoteFilter, cursor: string | null, limit: number) =>
    request<NotePage>("GET", `/api/notes${query({ ...filter, cursor, limit })}`),
  get: (id: Id) => request<Note>("GET", `/api/notes/${id}`),
  /** The notes that links lead to, as they stand in the text of the note `source`; null where there is none. */
  resolveLinks: (links: string[], source: Id | null) =>
    request<{ notes: ({ id: Id; title: string } | null)[] }>("POST", "/api/notes/links", {
      body: { links, source_id: source },
    }),
  /** The notes whose text links to this one. */
  backlinks: (id: Id, cursor: string | null) =>
    request<NotePage>("GET", `/api/notes/${id}/backlinks${query({ cursor, limit: 20 })}`),
  /** `key`: idempotency key; repeating the request creates one note only. */
  create: (fields: Omit<NoteContent, "pinned" | "archived">, key: string, keepalive = false) =>
    request<Note>("POST", "/api/notes", { body: fields, headers: { "idempotency-key": key }, keepalive }),
  /** `key`: idempotency key, as for `create`. */
  update: (id: Id, version: number, fields: Partial<NoteFields>, key: string, keepalive = false) =>
    request<Note>("PATCH", `/api/notes/${id}`, {
      body: fields,
      headers: { "if-match": `"${version}"`, "idempotency-key": key },
      keepalive,
    }),
  /** Moves the note to the trash. `key`: idempotency key. Refused if the note's version is not `version`. */
  remove: (id: Id, version: number, key: string) =>
    request<void>("DELETE", `/api/notes/${id}`, {
      headers: { "if-match": `"${version}"`, "idempotency-key": key },
    }),
  removeForGood: (id: Id, version: number) =>
    request<void>("DELETE", `/api/notes/${id}?permanent=true`, { headers: { "if-match": `"${version}"` } }),
  /** Deletes for good what was in the trash by `before`; some of it, if `has_more`. */
  emptyTrash: (before: string) =>
    request<EmptiedTrash>("POST", "/api/notes/trash/empty", { body: { before } }),
  /** Restores the note from the trash. `key`: idempotency key. Refused if the note's version is not `version`. */
  restore: (id: Id, version: number, key: string) =>
    request<Note>("POST", `/api/notes/${id}/restore`, {
      headers: { "if-match": `"${version}"`, "idempotency-key": key },
    }),
  /** With the number of notes of each. */
  tags: (filter: Pick<NoteFilter, "archived" | "trashed">) =>
    request<TagCounts>("GET", `/api/notes/tags${query({ ...filter })}`),
  search: (q: string, cursor: string | null, signal: AbortSignal) =>
    request<SearchResults>("GET", `/api/notes/search${query({ q, cursor, limit: 50 })}`, { signal }),
  revisions: (id: Id, cursor: string | null) =>
    request<RevisionPage>("GET", `/api/notes/${id}/revisions${query({ cursor, limit: 50 })}`),
  revision: (id: Id, version: number) => request<Revision>("GET", `/api/notes/${id}/revisions/${version}`),
  /** `seen`: the current version that the user saw; refused if the note has changed since. */
  restoreRevision: (id: Id, version: number, seen: number) =>
    request<Note>("POST", `/api/notes/${id}/revisions/${version}/restore`, {
      headers: { "if-match": `"${seen}"` },
    }),
  import: (files: File[]) => {
    const form = new FormData();
    for (const file of files) form.append("file", file);
    return request<{ import_id: Id }>("POST", "/api/notes/import", { form });
  },
  importStatus: (id: Id) => request<ImportStatus>("GET", `/api/notes/imports/${id}`),
  /** Without `since`, returns only the newest cursor. */
  changes: (since: number | null) => request<ChangeFeed>("GET", `/api/notes/changes${query({ since })}`),
};

export interface RunRequest {
  message: string;
  conversation_id?: Id;
  /** The message that the person saw last, null in an empty conversation: the message goes after no other. */
  parent_message_id?: Id | null;
  /** Idempotency key: repeating the request never starts a second run. */
  client_request_id: string;
  note_id?: Id;
  model?: string;
  effort?: string | null;
}

/** Who answers in a conversation. `effort`: null for what the model does by itself. */
export interface ModelChoice {
  model?: string;
  effort?: string | null;
}

/** How an answer is replaced. `keep_conflicts`: notes that somebody has changed since it did stay as they are. */
export interface Again {
  client_request_id: string;
  keep_conflicts: boolean;
}

export const chat = {
  status: () => request<ModelStatus>("GET", "/api/chat/status"),
  models: () => request<AvailableModels>("GET", "/api/models"),
  start: (body: RunRequest) => request<RunStarted>("POST", "/api/runs", { body }),
  run: (runId: Id) => request<Run>("GET", `/api/runs/${runId}`),
  cancel: (runId: Id) => request<void>("POST", `/api/runs/${runId}/cancel`),
  decide: (runId: Id, decisions: Decision[]) =>
    request<void>("POST", `/api/runs/${runId}/decisions`, { body: { decisions } }),
  undo: (runId: Id) => request<UndoneRun>("POST", `/api/runs/${runId}/undo`),
  conversations: (q: string, cursor: string | null) =>
    request<ConversationPage>("GET", `/api/conversations${query({ q: q || null, cursor })}`),
  /** The newest messages, or those before `before`: about `limit`, beginning with a question. */
  conversation: (id: Id, limit: number, before: Id | null = null) =>
    request<Conversation>("GET", `/api/conversations/${id}${query({ limit, before })}`),
  /** Replaces the summary of the messages up to `messageId`, which the model gets instead of them. */
  summarize: (id: Id, messageId: Id, text: string) =>
    request<Summary>("PUT", `/api/conversations/${id}/summaries/${messageId}`, { body: { text } }),
  createConversation: (instructions: string, choice: ModelChoice) =>
    request<Conversation>("POST", "/api/conversations", { body: { instructions, ...choice } }),
  changeConversation: (id: Id, fields: { title?: string; instructions?: string } & ModelChoice) =>
    request<ConversationSummary>("PATCH", `/api/conversations/${id}`, { body: fields }),
  /** Replaces a message, on a new branch. */
  edit: (id: Id, messageId: Id, message: string, again: Again) =>
    request<RunRestarted>("POST", `/api/conversations/${id}/messages/${messageId}/edit`, {
      body: { message, ...again },
    }),
  /** Generates another answer, on a new branch. `messageId`: of the answer, or of the message to answer. */
  regenerate: (id: Id, messageId: Id, again: Again) =>
    request<RunRestarted>("POST", `/api/conversations/${id}/messages/${messageId}/regenerate`, {
      body: again,
    }),
  /** Makes the branch with this message the current one. */
  showBranch: (id: Id, messageId: Id) =>
    request<ConversationSummary>("PATCH", `/api/conversations/${id}`, {
      body: { current_message_id: messageId },
    }),
  remove: (id: Id) => request<void>("DELETE", `/api/conversations/${id}`),
};

export const settings = {
  get: () => request<Settings>("GET", "/api/settings"),
  change: (fields: Partial<Settings>) => request<Settings>("PATCH", "/api/settings", { body: fields }),
};

export const usage = {
  get: () => request<StorageUsage>("GET", "/api/usage"),
  daily: () => request<DailyUsage>("GET", "/api/usage/daily"),
};
