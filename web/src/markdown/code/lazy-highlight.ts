/** Code is coloured when it is about to be seen: a long conversation has a lot of it far above. */

import { languageOf } from "./languages.ts";

/** Marks code's language in HTML. */
const PREFIX = "language-";
/** In characters; what is longer stays plain. */
const MOST = 50_000;
/** So far from the edges, in pixels, that it is done before it comes into sight. */
const AHEAD = "800px";

/** `info` is what its fence says of it. Returns what puts an end to it. */
export function highlightWhenVisible(place: Element, info: string): () => void {
  if (!languageOf(info) || place.textContent.length > MOST) return () => undefined;
  let wanted = true;
  const watch = new IntersectionObserver(
    (entries) => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
      watch.disconnect();
      // without a way to the server it stays plain
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

/** Code that stands within something else, a list's item for one. */
export function highlightWithin(page: Element): () => void {
  const plain = page.querySelectorAll(`pre > code[class^="${PREFIX}"]:not(:has(*))`);
  const ends = [...plain].map((code) => highlightWhenVisible(code, code.className.slice(PREFIX.length)));
  return () => ends.forEach((end) => end());
}
