/** Detects that the server has a newer build than the one this page was loaded from. */

import { locks } from "../lib/locks.ts";

/** The entry script. Its name contains the hash of its content, so it identifies the build; undefined in development. */
const entry = document.querySelector('script[type="module"][src^="/assets/"]')?.getAttribute("src");
/** Prefix of the lock's name; the service worker uses the same one. */
const LOCK = "inkstream-build ";

/** Holds a lock as long as the page lives, so that the service worker keeps this build's files in its cache. */
export function holdBuild(): void {
  if (entry) void locks()?.request(LOCK + entry, { mode: "shared" }, () => new Promise(() => undefined));
}

/** Calls `onNewBuild` once per new build; a chunk of this build that fails to load triggers a check at once. */
export class BuildWatch {
  #onNewBuild: () => void;
  #reported = false;
  #stopped = new AbortController();

  constructor(onNewBuild: () => void) {
    this.#onNewBuild = onNewBuild;
    const { signal } = this.#stopped;
    const partMissing = () => ((this.#reported = false), void this.look());
    addEventListener("vite:preloadError", partMissing, { signal });
    const workers = navigator.serviceWorker as ServiceWorkerContainer | undefined;
    workers?.addEventListener("controllerchange", () => void this.look(), { signal });
  }

  /** Fetches the page from the server and compares its entry script with this page's. */
  async look(): Promise<void> {
    if (!entry || this.#reported) return;
    try {
      const answer = await fetch("/", { cache: "no-cache", signal: this.#stopped.signal });
      const page = answer.ok ? await answer.text() : "";
      if (!page.includes('src="/assets/') || page.includes(`"${entry}"`) || this.#reported) return;
    } catch {
      return; // the server cannot be reached: the next check decides
    }
    this.#reported = true;
    this.#onNewBuild();
  }

  stop(): void {
    this.#stopped.abort();
  }
}
