/**
 * Where all unexpected errors are reported. An expected error (the server refuses, there is no network, storage is full)
 * is handled where it occurs; anything else is a bug, and must neither be swallowed nor stop the page.
 */

let reports = 0;
let notify: () => void = () => {};
/** The errors reported so far: one that is thrown on to another place is the same. */
const known = new WeakSet();

/** `handler` runs after each report, to show the user that something failed. */
export function onReport(handler: () => void): void {
  notify = handler;
}

/** How many errors were reported since the page was loaded. */
export function reportCount(): number {
  return reports;
}

/** Writes the error with its stack to the console, counts it, and calls the handler; once for each. Never throws. */
export function report(error: unknown): void {
  if (typeof error === "object" && error !== null) {
    if (known.has(error)) return;
    known.add(error);
  }
  reports += 1;
  console.error(error);
  notify();
}

/** Runs `work` for each item. If one fails, it is reported and the others still run. */
export function forEachSafely<Item>(items: Iterable<Item>, work: (item: Item) => void): void {
  for (const item of items) {
    try {
      work(item);
    } catch (error) {
      report(error);
    }
  }
}

/** Reports uncaught errors and unhandled rejections. */
export function reportUncaught(target: Window): void {
  target.addEventListener("error", (event) => report(event.error ?? event.message));
  target.addEventListener("unhandledrejection", (event) => report(event.reason));
}
