/** The formula renderer, in a chunk of its own. */

import katex from "katex";
import "katex/dist/katex.min.css";

/** Rendered formulas: the unfinished part of a growing answer is drawn again and again. */
const MAX_CACHED = 500;
const cache = new Map<string, Node>();
/** Definitions multiply: two thousand characters with a macro can take minutes, so only short formulas have some. */
const DEFINES = /\\(?:[gex]?def|g?let|futurelet|(?:new|renew|provide)command)(?![a-zA-Z])/;
const MAX_DEFINING = 300;

/**
 * Replaces the content of `place` by the rendered formula; leaves it as it is if it is not valid TeX. Builds elements
 * and sets their styles by script: inline styles in HTML are forbidden by the content security policy.
 */
export function render(tex: string, place: HTMLElement, display: boolean): void {
  if (tex.length > MAX_DEFINING && DEFINES.test(tex)) return;
  const key = `${display ? "d" : "i"}${tex}`;
  let known = cache.get(key);
  if (!known) {
    const made = document.createElement("span");
    try {
      // without trust: no links, pictures, classes or styles from the text
      katex.render(tex, made, {
        displayMode: display,
        trust: false,
        strict: false,
        maxExpand: 500,
        maxSize: 20,
      });
    } catch (error) {
      // no TeX, or nested too deeply for it
      if (error instanceof katex.ParseError || error instanceof RangeError) return;
      throw error;
    }
    known = made.firstElementChild as Node;
    if (cache.size >= MAX_CACHED) cache.clear();
    cache.set(key, known);
  }
  place.replaceChildren(known.cloneNode(true));
}
