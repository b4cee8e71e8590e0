/** Toasts about things that are not in view: notes that cannot be saved, tool calls that wait for approval. */

import type { Chat } from "../chat/chat.svelte.ts";
import type { Id, UndoneNote } from "../api/types.ts";
import type { Editor } from "../notes/editor.svelte.ts";
import type { OpenNote } from "../notes/sync/open-note.svelte.ts";
import type { Layout } from "../layout/layout.svelte.ts";
import type { Toasts } from "../ui/toasts.svelte.ts";

export interface NoticeParts {
  toasts: Toasts;
  layout: Layout;
  editor: Editor;
  chat: Chat;
}

export class Notices {
  #parts: NoticeParts;

  constructor(parts: NoticeParts) {
    this.#parts = parts;
  }

  /** A note that is not open cannot be saved without the user. */
  stuck(note: OpenNote): void {
    const name = `“${note.title.trim() || "Untitled"}”`;
    const text =
      note.state === "conflict"
        ? `${name} was changed elsewhere in the same place. Your text is kept.`
        : note.gone && note.typed
          ? `${name} was deleted. What you wrote after that is kept.`
          : `${name} is not saved: ${note.error}`;
    this.#parts.toasts.say(text, { label: "Show", run: () => this.#show(note) });
  }

  /** A pending delete or restore was refused, because the note was changed elsewhere first. */
  stayed(note: OpenNote): void {
    const text = note.gone
      ? `“${note.title}” was not restored: it was changed elsewhere first.`
      : `“${note.title}” was not deleted: it was changed elsewhere first.`;
    this.#parts.toasts.say(text, { label: "Show", run: () => this.#show(note) });
  }

  /** What a replaced answer had changed was undone. */
  tookBack(notes: UndoneNote[]): void {
    const [first] = notes;
    if (!first) return;
    const more = notes.length > 1 ? ` and ${notes.length - 1} more` : "";
    this.#parts.toasts.say(`Took back what the earlier answer changed: “${first.note.title}”${more}.`);
  }

  /** A conversation waits for the user's approval. */
  waits(id: Id): void {
    const { chat, layout, toasts } = this.#parts;
    const title = chat.conversations.titleOf(id);
    toasts.say(`${title ? `“${title}”` : "A conversation"} is waiting for you.`, {
      label: "Show",
      run: () => {
        if (!layout.phone && !layout.chatOpen) layout.toggle("chatOpen");
        layout.pane = "chat";
        chat.open(id);
      },
    });
  }

  #show(note: OpenNote): void {
    this.#parts.layout.pane = "note";
    this.#parts.editor.show(note);
  }
}
