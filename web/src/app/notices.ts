/** What the person is told of what is not before them: notes that cannot be saved, calls that wait for their word. */

import type { Chat } from "../chat/chat.svelte.ts";
import type { Id } from "../api/types.ts";
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

  /** Something that was left unsaved needs the person. */
  stuck(note: OpenNote): void {
    const name = `“${note.title.trim() || "Untitled"}”`;
    const text =
      note.state === "conflict"
        ? `${name} was changed elsewhere in the same place. Your words are kept.`
        : note.gone && note.typed
          ? `${name} was deleted. What you wrote since is kept.`
          : `${name} is not saved: ${note.error}`;
    this.#parts.toasts.say(text, { label: "Look", run: () => this.#look(note) });
  }

  /** It was to be deleted here, or restored, but someone changed it before the server heard of that. */
  stayed(note: OpenNote): void {
    const text = note.gone
      ? `“${note.title}” is still in the trash: it was changed elsewhere before it could be restored.`
      : `“${note.title}” stays: it was changed elsewhere before it could be deleted.`;
    this.#parts.toasts.say(text, { label: "Look", run: () => this.#look(note) });
  }

  /** A conversation waits for the person's word. */
  waits(id: Id): void {
    const { chat, layout, toasts } = this.#parts;
    const title = chat.conversations.titleOf(id);
    toasts.say(`${title ? `“${title}”` : "A conversation"} is waiting for you.`, {
      label: "Look",
      run: () => {
        if (!layout.phone && !layout.chatOpen) layout.toggle("chatOpen");
        layout.pane = "chat";
        chat.open(id);
      },
    });
  }

  #look(note: OpenNote): void {
    this.#parts.layout.pane = "note";
    this.#parts.editor.show(note);
  }
}
