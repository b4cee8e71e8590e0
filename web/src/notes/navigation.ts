/** Opens notes in the place where this page shows them. */

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

  /** In this page; from a conversation in a window of its own, in another window. */
  open(id: Id): void {
    this.#layout.pane = "note";
    if (this.#route.view === "chat") window.open(`/notes/${id}`, "_blank", "noopener");
    else void this.#editor.open(id);
  }

  startNew(): void {
    this.#editor.startNew();
    this.#layout.pane = "note";
  }

  /** A note that is saved behind the open one. */
  show(note: OpenNote): void {
    this.#layout.pane = "note";
    this.#editor.show(note);
  }

  /** The address that `open` leads to. */
  address(id: Id): string {
    return this.#route.noteAddress(id);
  }
}

/** Opens notes on this page. */
export const [getNavigation, setNavigation] = createContext<NoteNavigation>();
