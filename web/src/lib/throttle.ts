/** Work that is asked for often and done seldom. */

const HIDDEN_MS = 250;

/**
 * The returned function asks for `work`; asking again before it ran changes nothing. A hidden tab has no
 * frames, so there it runs every quarter of a second.
 */
export function throttleToFrame(work: () => void): () => void {
  let asked = false;
  const run = () => {
    asked = false;
    work();
  };
  return () => {
    if (asked) return;
    asked = true;
    if (document.visibilityState === "hidden") setTimeout(run, HIDDEN_MS);
    else requestAnimationFrame(run);
  };
}

/** As `throttleToFrame`, with at least `ms` between two runs; what is asked meanwhile is done then. */
export function throttle(ms: number, work: () => void): () => void {
  let asked = false;
  let last = -Infinity;
  const run = () => {
    asked = false;
    last = performance.now();
    work();
  };
  return () => {
    if (asked) return;
    asked = true;
    setTimeout(run, Math.max(0, last + ms - performance.now()));
  };
}
