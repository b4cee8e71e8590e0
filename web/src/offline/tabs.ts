/** The open tabs of one browser. Each holds a lock as long as it lives, so that crashed tabs are noticed as well. */

import { newId } from "../lib/ids.ts";
import { locks } from "../lib/locks.ts";

const PREFIX = "inkstream-tab-";

export class Tab {
  readonly id = newId();
  /** Resolves once this tab's lock is visible to the others. */
  readonly seen: Promise<void>;
  #leave: () => void = () => undefined;

  constructor() {
    this.seen = new Promise((resolve) => {
      const held = new Promise<void>((leave) => (this.#leave = leave));
      const hold = () => (resolve(), held);
      if (locks()) void locks()?.request(PREFIX + this.id, hold);
      else void hold();
    });
  }

  leave(): void {
    this.#leave();
  }
}

export async function livingTabs(): Promise<Set<string>> {
  const { held = [] } = (await locks()?.query()) ?? {};
  return new Set(held.flatMap(({ name }) => (name?.startsWith(PREFIX) ? [name.slice(PREFIX.length)] : [])));
}

/** Resolves when a tab has closed or crashed. */
export async function gone(tab: string, signal: AbortSignal): Promise<void> {
  await locks()?.request(PREFIX + tab, { mode: "shared", signal }, () => undefined);
}
