/** The user's settings: stored on the server and the same in every window. */

import { createContext } from "svelte";

import { settings as calls } from "../api/calls.ts";
import { explain, isPassing } from "../api/http.ts";
import type { Settings as Values } from "../api/types.ts";
import { backoffDelay, sleep } from "../lib/backoff.ts";
import { theme } from "./theme.svelte.ts";

export class Settings {
  /** Null until they are loaded. */
  values = $state.raw<Values | null>(null);
  saving = $state(false);
  error = $state<string | null>(null);
  #stopped = new AbortController();

  /** Loads them, with retries while the server is unavailable. */
  async load(): Promise<void> {
    for (let failures = 0; !this.#stopped.signal.aborted; failures++) {
      try {
        this.#take(await calls.get());
        this.error = null;
        return;
      } catch (error) {
        this.error = explain(error);
        if (!isPassing(error)) return;
        await sleep(backoffDelay(failures), this.#stopped.signal);
      }
    }
  }

  /** Optimistic update: applied at once, and rolled back if the server refuses it. */
  async change(fields: Partial<Values>): Promise<void> {
    if (fields.theme) theme.choose(fields.theme);
    const before = this.values;
    if (!before) return;
    this.#take({ ...before, ...fields });
    this.saving = true;
    try {
      this.#take(await calls.change(fields));
      this.error = null;
    } catch (error) {
      this.#take(before);
      this.error = `Not saved: ${explain(error)}`;
    }
    this.saving = false;
  }

  stop(): void {
    this.#stopped.abort();
  }

  #take(values: Values): void {
    this.values = values;
    if (theme.choice !== values.theme) theme.choose(values.theme);
  }
}

/** The user's settings. */
export const [getSettings, setSettings] = createContext<Settings>();
