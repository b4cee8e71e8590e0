/** Duration of transitions in milliseconds; 0 if the user prefers reduced motion. */

import { prefersReducedMotion } from "svelte/motion";

export function transitionMs(): number {
  return prefersReducedMotion.current ? 0 : 180;
}
