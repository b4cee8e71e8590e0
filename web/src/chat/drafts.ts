/** What was typed and not sent, per conversation, over reloads of this tab. */

import type { Id } from "../api/types.ts";

const PREFIX = "inkstream.draft.";

export function draftOf(conversation: Id | null): string {
  try {
    return sessionStorage.getItem(PREFIX + (conversation ?? "new")) ?? "";
  } catch {
    return ""; // storage is closed to us
  }
}

export function keepDraft(conversation: Id | null, text: string): void {
  try {
    if (text) sessionStorage.setItem(PREFIX + (conversation ?? "new"), text);
    else sessionStorage.removeItem(PREFIX + (conversation ?? "new"));
  } catch {
    // storage is closed to us or full: the draft lasts as long as the page
  }
}
