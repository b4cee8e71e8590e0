/** Opens notes in the right place: in this page's editor, or in another window. */

import { createContext } from "svelte";

import type { Id } from "../api/types.ts";
import type { Layout } from "../layout/layout.svelte.ts";
import type { Route } from "../layout/route.svelte.ts";
import type { Editor } from "./editor.svelte.ts";
import type { OpenNote } from "./sync/open-note.svelte.ts";

export class NoteNavigation {
  #editor: Editor;
  #layout: Layout;
  #route: Route;

  constructor(editor: Editor, layout: Layout, route: Route) {
    this.#editor = editor;
    this.#layout = layout;
    this.#route = route;
  }

  /**
   * Opens a note in this page, or in another window if this one shows only a conversation. `found`: words that a search
   * has found in it, which the editor shows.
   */
  open(id: Id, found: string[] = []): void {
    this.#layout.pane = "note";
    this.#editor.found = { id, words: found };
    if (this.#route.view === "chat") window.open(`/notes/${id}`, "_blank", "noopener");
    else void this.#editor.open(id);
  }

  startNew(): void {
    this.#editor.startNew();
    this.#layout.pane = "note";
  }

  /** Shows a note that is being saved in the background. */
  show(note: OpenNote): void {
    this.#layout.pane = "note";
    this.#editor.show(note);
  }

  /** The URL for a link that does the same as `open`. */
  address(id: Id): string {
    return this.#route.noteAddress(id);
  }
}

/** The note navigation of this page. */
export const [getNavigation, setNavigation] = createContext<NoteNavigation>();
