/** A sign-out takes everything off the device: what can be saved is, and the person is asked about the rest. */

import { sleep } from "../lib/backoff.ts";
import type { Editor } from "../notes/editor.svelte.ts";
import type { Drafts } from "../offline/drafts.ts";
import type { SessionHost } from "./session.svelte.ts";
import type { Toasts } from "../ui/toasts.svelte.ts";

const SAVE_MS = 2_000;

export class SignOutGuard implements SessionHost {
  /** How many unsaved notes would be lost, while the person is asked, and where the answer goes. */
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

  /** Saves what it can within two seconds, and asks where something would be lost. */
  async maySignOut(): Promise<boolean> {
    await Promise.race([this.#editor.openNotes.flush(), sleep(SAVE_MS, this.#stopped.signal)]);
    const unsaved = await this.#drafts.count();
    if (unsaved === 0) return true;
    const answered = await new Promise<boolean>((answer) => (this.question = { unsaved, answer }));
    this.question = null;
    return answered;
  }

  failed(message: string): void {
    this.#toasts.fail(message);
  }
}
