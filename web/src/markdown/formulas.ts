/**
 * Renders the formulas of a page. KaTeX is fetched when there is the first one. What takes longer than a part of a frame
 * goes on in later tasks, so that thousands of formulas keep no key waiting.
 */

import { CLASS_DISPLAY, CLASS_INLINE, texOf } from "./math.ts";

type Render = (tex: string, place: HTMLElement, display: boolean) => void;

const SLICE_MS = 8;

let render: Render | null = null;
let fetching: Promise<void> | null = null;

function fetchRenderer(): Promise<void> {
  fetching ??= import("./katex.ts").then(
    (module) => void (render = module.render),
    () => void (fetching = null), // could not be loaded: formulas stay TeX, and the next one retries it
  );
  return fetching;
}

/** Renders the formulas in `part`, at once if the renderer is there, else once it is. */
export function renderFormulas(part: ParentNode): void {
  const found = [...part.querySelectorAll<HTMLElement>(`.${CLASS_INLINE}, .${CLASS_DISPLAY}`)];
  if (found.length === 0) return;
  if (render) renderSome(found);
  else void fetchRenderer().then(() => renderSome(found.filter((place) => place.isConnected)));
}

function renderSome(places: HTMLElement[]): void {
  const end = performance.now() + SLICE_MS;
  for (const [index, place] of places.entries()) {
    if (performance.now() > end) {
      const rest = places.slice(index);
      setTimeout(() => renderSome(rest.filter(({ isConnected }) => isConnected)));
      return;
    }
    renderOne(place);
  }
}

function renderOne(place: HTMLElement): void {
  render?.(texOf(place.textContent), place, place.className === CLASS_DISPLAY);
}
