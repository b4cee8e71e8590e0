/** Moving a note into the trash and back: shown at once, sent to the server as soon as it is reachable. */

import { createContext } from "svelte";

import { notes as calls } from "../../api/calls.ts";
import { explain } from "../../api/http.ts";
import type { Note } from "../../api/types.ts";
import { sleep } from "../../lib/backoff.ts";
import type { Layout } from "../../layout/layout.svelte.ts";
import type { Toasts } from "../../ui/toasts.svelte.ts";
import type { Editor } from "../editor.svelte.ts";
import { fieldsOf } from "../sync/fields.ts";
import type { Notes } from "../list/notes.svelte.ts";
import type { OpenNote } from "../sync/open-note.svelte.ts";

/** How long to wait for the server before the notice says that the deletion is pending. */
const ANSWER_MS = 2_000;

export interface TrashParts {
  notes: Notes;
  editor: Editor;
  toasts: Toasts;
  layout: Layout;
}

export class Trash {
  #parts: TrashParts;
  #stopped = new AbortController();

  constructor(parts: TrashParts) {
    this.#parts = parts;
  }

  stop(): void {
    this.#stopped.abort();
  }

  /** Moves the note into the trash, and offers to undo it. */
  async put(note: OpenNote): Promise<void> {
    const { editor, toasts, layout } = this.#parts;
    const name = named(note.title);
    const { title, body, tags, properties } = fieldsOf(note);
    const isKnown = note.throwAway();
    editor.close();
    if (layout.pane === "note") layout.pane = "notes"; // a phone shows one pane at a time
    if (!isKnown) {
      const write = () => void editor.write({ title, body, tags, properties });
      return toasts.say(`${name} was discarded: it had not been saved yet.`, { label: "Undo", run: write });
    }
    await Promise.race([note.flush(), sleep(ANSWER_MS, this.#stopped.signal)]);
    if (!note.gone || note.state === "refused") return; // the note's own notice reports that
    toasts.say(
      note.going ? `${name} is deleted. The deletion is waiting to be sent.` : `${name} is in the trash.`,
      {
        label: "Undo",
        run: () => void this.restore(note),
      },
      note,
    );
  }

  async restore(note: OpenNote): Promise<void> {
    note.bringBack();
    this.#parts.editor.show(note);
    this.#parts.toasts.say(`${named(note.title)} is out of the trash.`, null, note);
    await note.flush();
  }

  /** Needs the server, because it cannot be undone. Deletes only the version that the person has seen. */
  async deleteForGood({ id, title, body }: Note): Promise<void> {
    const { notes, editor, toasts } = this.#parts;
    try {
      const now = await calls.get(id);
      if (!now.deleted_at || now.title !== title || now.body !== body)
        return toasts.fail(`${named(title)} was changed elsewhere, so it was not deleted. Check it again.`);
      await calls.removeForGood(id, now.version);
      notes.deletedForGood(id);
      editor.discard(id);
      editor.openNotes.retryFull();
    } catch (error) {
      toasts.fail(explain(error));
    }
  }
}

const named = (title: string) => `“${title.trim() || "Untitled"}”`;

/** The trash of this page. */
export const [getTrash, setTrash] = createContext<Trash>();
