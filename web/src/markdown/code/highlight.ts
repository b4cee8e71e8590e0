/** Syntax highlighting for finished code: tokens are wrapped in elements, and the text stays the same. */

import type { Parser, Tree } from "@lezer/common";
import { highlightTree } from "@lezer/highlight";

import { languageOf } from "./languages.ts";
import { codeTheme } from "./theme.ts";
import { replaceKeepingSelection } from "./selection.ts";

/** Time per slice before yielding to the browser; a frame has 16 ms. */
const STRETCH_MS = 8;

interface HighlightedToken {
  from: number;
  to: number;
  look: string;
}

/**
 * Highlights the code in `place` in time slices, and stops when `wanted` returns false. Rejects if the language cannot
 * be fetched.
 */
export async function highlight(place: Element, info: string, wanted: () => boolean): Promise<void> {
  const language = languageOf(info);
  const parser = await language?.load();
  if (!parser || !wanted()) return;
  const slices = new TimeSlices();
  const tokens = await read(place.textContent, parser, slices, wanted);
  let next = 0;
  let start = 0;
  for (const text of textsIn(place)) {
    await slices.yieldIfUsedUp();
    if (!wanted()) return;
    const end = start + text.length;
    const first = next;
    while ((tokens[next]?.from ?? Infinity) < end) next += 1;
    if (next > first) replaceKeepingSelection(text, paint(text, start, tokens.slice(first, next)));
    if ((tokens[next - 1]?.to ?? 0) > end) next -= 1; // this token continues in the next text node
    start = end;
  }
}

async function read(
  text: string,
  parser: Parser,
  slices: TimeSlices,
  wanted: () => boolean,
): Promise<HighlightedToken[]> {
  const parse = parser.startParse(text);
  let tree: Tree | null = null;
  while (!(tree = parse.advance())) {
    await slices.yieldIfUsedUp();
    if (!wanted()) return [];
  }
  const tokens: HighlightedToken[] = [];
  highlightTree(tree, codeTheme, (from, to, look) => tokens.push({ from, to, look }));
  return tokens;
}

/** The same text, with its tokens in elements. `start` is the text node's offset in the whole code. */
function paint(text: Text, start: number, tokens: HighlightedToken[]): DocumentFragment {
  const whole = text.data;
  const painted = document.createDocumentFragment();
  let done = 0;
  for (const { from, to, look } of tokens) {
    const [begin, end] = [Math.max(0, from - start), Math.min(whole.length, to - start)];
    if (begin > done) painted.append(whole.slice(done, begin));
    const element = document.createElement("span");
    element.className = look;
    element.textContent = whole.slice(begin, end);
    painted.append(element);
    done = end;
  }
  if (done < whole.length) painted.append(whole.slice(done));
  return painted;
}

function textsIn(place: Element): Text[] {
  const walker = document.createTreeWalker(place, NodeFilter.SHOW_TEXT);
  const found: Text[] = [];
  while (walker.nextNode()) found.push(walker.currentNode as Text);
  return found;
}

/** Yields to the event loop when a time slice is used up. */
class TimeSlices {
  #until = performance.now() + STRETCH_MS;

  async yieldIfUsedUp(): Promise<void> {
    if (performance.now() < this.#until) return;
    await new Promise((done) => setTimeout(done));
    this.#until = performance.now() + STRETCH_MS;
  }
}
