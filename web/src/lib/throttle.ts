/** Throttling: limits how often a function runs, however often it is called. */

const HIDDEN_MS = 250;

/**
 * The returned function schedules `work` for the next animation frame; further calls before it ran change nothing.
 * A hidden tab has no frames, so there it runs every quarter of a second.
 */
export function throttleToFrame(work: () => void): () => void {
  let scheduled = false;
  const run = () => {
    scheduled = false;
    work();
  };
  return () => {
    if (scheduled) return;
    scheduled = true;
    if (document.visibilityState === "hidden") setTimeout(run, HIDDEN_MS);
    else requestAnimationFrame(run);
  };
}

/** As `throttleToFrame`, with at least `ms` between two runs; calls in between lead to one run at the end. */
export function throttle(ms: number, work: () => void): () => void {
  let scheduled = false;
  let last = -Infinity;
  const run = () => {
    scheduled = false;
    last = performance.now();
    work();
  };
  return () => {
    if (scheduled) return;
    scheduled = true;
    setTimeout(run, Math.max(0, last + ms - performance.now()));
  };
}
