/** How long things move, in milliseconds: not at all for those who asked for that. */

import { prefersReducedMotion } from "svelte/motion";

export function transitionMs(): number {
  return prefersReducedMotion.current ? 0 : 180;
}
