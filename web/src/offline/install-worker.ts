/** Lets the browser keep the page itself. */

import { holdBuild } from "./build-watch.ts";

/** Once the page is there and has nothing else to do; a page under development is never kept. */
export function installWorker(): void {
  const workers = navigator.serviceWorker as ServiceWorkerContainer | undefined;
  if (!workers || import.meta.env.DEV) return;
  holdBuild();
  const register = () => void workers.register("/sw.js", { updateViaCache: "none" }).catch(() => undefined);
  // this page may be the first without the build before
  void workers.ready.then(({ active }) => active?.postMessage("sweep"));
  if (document.readyState === "complete") setTimeout(register, AFTER_MS);
  else addEventListener("load", () => setTimeout(register, AFTER_MS));
}

const AFTER_MS = 1_000;
