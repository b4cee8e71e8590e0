/** A sign-out deletes all local data. Before it, drafts are saved; if some cannot be, the user has to confirm. */

import { sleep } from "../lib/backoff.ts";
import type { Editor } from "../notes/editor.svelte.ts";
import type { Drafts } from "../offline/drafts.ts";
import type { SessionHost } from "./session.svelte.ts";
import type { Toasts } from "../ui/toasts.svelte.ts";

const SAVE_MS = 2_000;

export class SignOutGuard implements SessionHost {
  /** While the confirmation is open: how many unsaved notes would be lost, and the callback for the user's decision. */
  question = $state.raw<{ unsaved: number; answer: (leave: boolean) => void } | null>(null);
  #editor: Editor;
  #drafts: Drafts;
  #toasts: Toasts;
  #stopped = new AbortController();

  constructor(editor: Editor, drafts: Drafts, toasts: Toasts) {
    this.#toasts = toasts;
    this.#editor = editor;
    this.#drafts = drafts;
  }

  stop(): void {
    this.#stopped.abort();
  }

  /** Saves for at most two seconds, then asks the user if anything would be lost. */
  async maySignOut(): Promise<boolean> {
    await Promise.race([this.#editor.openNotes.flush(), sleep(SAVE_MS, this.#stopped.signal)]);
    const unsaved = await this.#drafts.count();
    if (unsaved === 0) return true;
    const confirmed = await new Promise<boolean>((answer) => (this.question = { unsaved, answer }));
    this.question = null;
    return confirmed;
  }

  failed(message: string): void {
    this.#toasts.fail(message);
  }
}
