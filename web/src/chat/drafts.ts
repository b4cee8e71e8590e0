/** What was typed to the assistant and has not reached it, per conversation: over reloads and closed tabs. */

import { newId } from "../lib/ids.ts";
import type { Id } from "../api/types.ts";

/** A message on its way. Sent again it is the same one, by its request id: it never starts a second run. */
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

  /** The text for the composer; a message of which nobody knows whether it arrived is there again. */
  of(conversation: Id | null): string {
    return this.#read(this.#typed(conversation)) || (this.#sending(conversation)?.text ?? "");
  }

  /** Nothing means that the person does not want to say it any more. */
  type(conversation: Id | null, text: string): void {
    this.#write(this.#typed(conversation), text);
    if (!text) this.sent(conversation);
  }

  /** `text` is being sent. The same request id is given until `sent` is called, also after a reload. */
  send(conversation: Id | null, text: string): string {
    const before = this.#sending(conversation);
    const requestId = before?.text === text ? before.requestId : newId();
    this.#write(this.#onTheWay(conversation), JSON.stringify({ text, requestId } satisfies Sending));
    this.#write(this.#typed(conversation), "");
    return requestId;
  }

  /** The server has it. */
  sent(conversation: Id | null): void {
    this.#write(this.#onTheWay(conversation), "");
  }

  #sending(conversation: Id | null): Sending | null {
    try {
      return JSON.parse(this.#read(this.#onTheWay(conversation))) as Sending;
    } catch {
      return null;
    }
  }

  #typed(conversation: Id | null): string {
    return `${this.#prefix}typed.${conversation ?? "new"}`;
  }

  #onTheWay(conversation: Id | null): string {
    return `${this.#prefix}sending.${conversation ?? "new"}`;
  }

  #read(key: string): string {
    try {
      return localStorage.getItem(key) ?? "";
    } catch {
      return ""; // storage is closed to us
    }
  }

  #write(key: string, text: string): void {
    try {
      if (text) localStorage.setItem(key, text);
      else localStorage.removeItem(key);
    } catch {
      // storage is closed to us or full: it lasts as long as the page
    }
  }
}

/** After a sign-out nothing of it is left in this browser. */
export function forgetDrafts(userId: Id): void {
  try {
    const keys = Array.from({ length: localStorage.length }, (_, index) => localStorage.key(index) ?? "");
    for (const key of keys) if (key.startsWith(`${PREFIX}${userId}.`)) localStorage.removeItem(key);
  } catch {
    // storage is closed to us
  }
}
