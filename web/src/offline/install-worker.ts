/** Installs the service worker, which caches the page itself. */

import { holdBuild } from "./build-watch.ts";

/** After the page has loaded, so that it does not compete with it. Not in development. */
export function installWorker(): void {
  const workers = navigator.serviceWorker as ServiceWorkerContainer | undefined;
  if (!workers || import.meta.env.DEV) return;
  holdBuild();
  const register = () => void workers.register("/sw.js", { updateViaCache: "none" }).catch(() => undefined);
  // this page may have replaced the last tab of the previous build, which can then be removed from the cache
  void workers.ready.then(({ active }) => active?.postMessage("sweep"));
  if (document.readyState === "complete") setTimeout(register, AFTER_MS);
  else addEventListener("load", () => setTimeout(register, AFTER_MS));
}

const AFTER_MS = 1_000;
