/** Code is highlighted when it is about to scroll into view: most code of a long conversation is not looked at. */

import { languageOf } from "./languages.ts";

/** Prefix of the class that names the code's language. */
const PREFIX = "language-";
/** In characters; longer code stays plain. */
const MOST = 50_000;
/** Distance from the viewport at which highlighting starts, so that it is done before the code is visible. */
const AHEAD = "800px";

/** `info` is the fence's info string. Returns a function that cancels it. */
export function highlightWhenVisible(place: Element, info: string): () => void {
  if (!languageOf(info) || place.textContent.length > MOST) return () => undefined;
  let wanted = true;
  const watch = new IntersectionObserver(
    (entries) => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
      watch.disconnect();
      // if the highlighter cannot be loaded, the code stays plain
      import("./highlight.ts")
        .then(({ highlight }) => highlight(place, info, () => wanted))
        .catch(() => undefined);
    },
    { rootMargin: AHEAD, scrollMargin: AHEAD },
  );
  watch.observe(place);
  return () => {
    wanted = false;
    watch.disconnect();
  };
}

/** Highlights code that is nested in another block, such as a list item. */
export function highlightWithin(page: Element): () => void {
  const plain = page.querySelectorAll(`pre > code[class^="${PREFIX}"]:not(:has(*))`);
  const ends = [...plain].map((code) => highlightWhenVisible(code, code.className.slice(PREFIX.length)));
  return () => ends.forEach((end) => end());
}
