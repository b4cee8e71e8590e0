/**
 * The one way out for errors that nobody expected. An expected one (the server says no, there is no network, storage is
 * full) is handled where it arises; anything else is a bug, and must neither pass silently nor stop the page.
 */

let reports = 0;
let notify: () => void = () => {};

/** `handler` runs after each report, for what the person should see of it. */
export function onReport(handler: () => void): void {
  notify = handler;
}

/** How many errors were reported since the page was loaded. */
export function reportCount(): number {
  return reports;
}

/** Writes the error with its stack to the console, counts it, and lets the person know. Never throws. */
export function report(error: unknown): void {
  reports += 1;
  console.error(error);
  notify();
}

/** Runs `work` for each item. One that fails is reported, and takes none of the others with it. */
export function forEachSafely<Item>(items: Iterable<Item>, work: (item: Item) => void): void {
  for (const item of items) {
    try {
      work(item);
    } catch (error) {
      report(error);
    }
  }
}

/** Reports what nobody has caught. */
export function reportUncaught(target: Window): void {
  target.addEventListener("error", (event) => report(event.error ?? event.message));
  target.addEventListener("unhandledrejection", (event) => report(event.reason));
}
