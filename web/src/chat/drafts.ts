/** Drafts of messages per conversation, in local storage: they survive reloads and closed tabs. */

import { newId } from "../lib/ids.ts";
import type { Id } from "../api/types.ts";

/** A message in flight. Its request id makes a retry idempotent: it never starts a second run. */
interface Sending {
  text: string;
  requestId: string;
}

const PREFIX = "inkstream.said.";

export class ChatDrafts {
  #prefix: string;

  constructor(userId: Id) {
    this.#prefix = `${PREFIX}${userId}.`;
  }

  /** The text for the composer: the draft, or a message that was sent but not acknowledged. */
  of(conversation: Id | null): string {
    return this.#read(this.#draftKey(conversation)) || (this.#sending(conversation)?.text ?? "");
  }

  /** Stores the draft. An empty text also discards the message in flight. */
  type(conversation: Id | null, text: string): void {
    this.#write(this.#draftKey(conversation), text);
    if (!text) this.sent(conversation);
  }

  /** Call before sending `text`. Returns the same request id for the same text until `sent`, also after a reload. */
  send(conversation: Id | null, text: string): string {
    const before = this.#sending(conversation);
    const requestId = before?.text === text ? before.requestId : newId();
    this.#write(this.#sendingKey(conversation), JSON.stringify({ text, requestId } satisfies Sending));
    this.#write(this.#draftKey(conversation), "");
    return requestId;
  }

  /** The server has acknowledged the message. */
  sent(conversation: Id | null): void {
    this.#write(this.#sendingKey(conversation), "");
  }

  #sending(conversation: Id | null): Sending | null {
    try {
      return JSON.parse(this.#read(this.#sendingKey(conversation))) as Sending;
    } catch {
      return null;
    }
  }

  #draftKey(conversation: Id | null): string {
    return `${this.#prefix}typed.${conversation ?? "new"}`;
  }

  #sendingKey(conversation: Id | null): string {
    return `${this.#prefix}sending.${conversation ?? "new"}`;
  }

  #read(key: string): string {
    try {
      return localStorage.getItem(key) ?? "";
    } catch {
      return ""; // the browser denies access to storage
    }
  }

  #write(key: string, text: string): void {
    try {
      if (text) localStorage.setItem(key, text);
      else localStorage.removeItem(key);
    } catch {
      // storage is denied or full: the draft is lost with the page
    }
  }
}

/** Deletes the user's drafts, after a sign-out. */
export function forgetDrafts(userId: Id): void {
  try {
    const keys = Array.from({ length: localStorage.length }, (_, index) => localStorage.key(index) ?? "");
    for (const key of keys) if (key.startsWith(`${PREFIX}${userId}.`)) localStorage.removeItem(key);
  } catch {
    // the browser denies access to storage
  }
}
