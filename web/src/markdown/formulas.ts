/** Renders the formulas of a page. KaTeX is fetched when there is the first one. */

import { CLASS_DISPLAY, CLASS_INLINE, texOf } from "./math.ts";

type Render = (tex: string, place: HTMLElement, display: boolean) => void;

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
  if (render) found.forEach((place) => renderOne(place));
  else
    void fetchRenderer().then(() =>
      found.filter((place) => place.isConnected).forEach((place) => renderOne(place)),
    );
}

function renderOne(place: HTMLElement): void {
  render?.(texOf(place.textContent), place, place.className === CLASS_DISPLAY);
}
