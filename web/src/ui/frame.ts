/** Work done at most once a frame. */

const HIDDEN_MS = 250;

/**
 * The returned function asks for `work`; asking again before it ran changes nothing. A hidden tab has no
 * frames, so there it runs every quarter of a second.
 */
export function onFrame(work: () => void): () => void {
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
