/** Lets the browser keep the page itself. */

/** Once the page is there and has nothing else to do; a page under development is never kept. */
export function installWorker(): void {
  const workers = navigator.serviceWorker as ServiceWorkerContainer | undefined;
  if (!workers || import.meta.env.DEV) return;
  const register = () => void workers.register("/sw.js", { updateViaCache: "none" }).catch(() => undefined);
  if (document.readyState === "complete") setTimeout(register, AFTER_MS);
  else addEventListener("load", () => setTimeout(register, AFTER_MS));
}

const AFTER_MS = 1_000;
