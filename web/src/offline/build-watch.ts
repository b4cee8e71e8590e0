/** Which build this page is of, and whether the server has another one by now. */

import { locks } from "../lib/locks.ts";

/** What begins the page. Its name has the hash of its content in it, so it names the build; none under development. */
const entry = document.querySelector('script[type="module"][src^="/assets/"]')?.getAttribute("src");
/** The service worker knows it too. */
const LOCK = "inkstream-build ";

/** For as long as this page is there, the service worker keeps the parts of its build that it has not asked for yet. */
export function holdBuild(): void {
  if (entry) void locks()?.request(LOCK + entry, { mode: "shared" }, () => new Promise(() => undefined));
}

/** Calls `another` when there is one: at once where a part of this build could not be had. */
export class BuildWatch {
  #another: () => void;
  #told = false;
  #stopped = new AbortController();

  constructor(another: () => void) {
    this.#another = another;
    const { signal } = this.#stopped;
    const lacking = () => ((this.#told = false), void this.look());
    addEventListener("vite:preloadError", lacking, { signal });
    const workers = navigator.serviceWorker as ServiceWorkerContainer | undefined;
    workers?.addEventListener("controllerchange", () => void this.look(), { signal });
  }

  /** Asks the server. Tells of one new build once. */
  async look(): Promise<void> {
    if (!entry || this.#told) return;
    try {
      const answer = await fetch("/", { cache: "no-cache", signal: this.#stopped.signal });
      const page = answer.ok ? await answer.text() : "";
      if (!page.includes('src="/assets/') || page.includes(`"${entry}"`) || this.#told) return;
    } catch {
      return; // no server, no new build
    }
    this.#told = true;
    this.#another();
  }

  stop(): void {
    this.#stopped.abort();
  }
}
