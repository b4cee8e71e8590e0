/** Drafts and unsent messages per conversation, in local storage: they survive reloads and closed tabs. */

import { newId } from "../lib/ids.ts";
import type { Id } from "../api/types.ts";
import type { Unsent } from "./runs/entries.ts";

const PREFIX = "inkstream.said.";

export class ChatDrafts {
  #prefix: string;

  constructor(userId: Id) {
    this.#prefix = `${PREFIX}${userId}.`;
  }

  /** The text for the composer. */
  of(conversation: Id | null): string {
    return this.#read(this.#draftKey(conversation));
  }

  type(conversation: Id | null, text: string): void {
    this.#write(this.#draftKey(conversation), text);
  }

  /** Call before sending `text`: it is kept until `sent`, also over a reload. */
  send(conversation: Id | null, text: string, noteId: Id | null): Unsent {
    const unsent = { requestId: newId(), text, noteId, at: Date.now(), failed: false };
    this.keep(conversation, unsent);
    this.type(conversation, "");
    return unsent;
  }

  keep(conversation: Id | null, unsent: Unsent): void {
    this.#write(this.#unsentPrefix(conversation) + unsent.requestId, JSON.stringify(unsent));
  }

  /** The server has accepted the message, or the user has withdrawn it. */
  sent(conversation: Id | null, { requestId }: Unsent): void {
    this.#write(this.#unsentPrefix(conversation) + requestId, "");
  }

  /** The messages of a conversation that were not accepted, in the order of sending. */
  unsent(conversation: Id | null): Unsent[] {
    const prefix = this.#unsentPrefix(conversation);
    const found = storedKeys()
      .filter((key) => key.startsWith(prefix))
      .flatMap((key) => parsed(this.#read(key)));
    return found.sort((one, other) => one.at - other.at);
  }

  #draftKey(conversation: Id | null): string {
    return `${this.#prefix}typed.${conversation ?? "new"}`;
  }

  /** A key per message: several tabs may send in one conversation. */
  #unsentPrefix(conversation: Id | null): string {
    return `${this.#prefix}unsent.${conversation ?? "new"}.`;
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

function parsed(json: string): Unsent[] {
  try {
    return [JSON.parse(json) as Unsent];
  } catch {
    return [];
  }
}

function storedKeys(): string[] {
  try {
    return Array.from({ length: localStorage.length }, (_, index) => localStorage.key(index) ?? "");
  } catch {
    return []; // the browser denies access to storage
  }
}

/** Deletes the user's drafts, after a sign-out. */
export function forgetDrafts(userId: Id): void {
  for (const key of storedKeys()) if (key.startsWith(`${PREFIX}${userId}.`)) localStorage.removeItem(key);
}
