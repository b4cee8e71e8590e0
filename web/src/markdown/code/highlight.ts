/** Colours for code that is finished: its words are put into elements, and the text stays what it was. */

import type { Parser, Tree } from "@lezer/common";
import { highlightTree } from "@lezer/highlight";

import { languageOf } from "./languages.ts";
import { codeTheme } from "./theme.ts";
import { replaceKeepingSelection } from "./selection.ts";

/** What may be done at a stretch, of a frame's 16. */
const STRETCH_MS = 8;

interface Word {
  from: number;
  to: number;
  look: string;
}

/**
 * Colours the code in `place`, a bit at a time, and stops where it is once `wanted` says so. Rejects where the
 * language cannot be fetched.
 */
export async function highlight(place: Element, info: string, wanted: () => boolean): Promise<void> {
  const language = languageOf(info);
  const parser = await language?.load();
  if (!parser || !wanted()) return;
  const turns = new Turns();
  const words = await read(place.textContent, parser, turns, wanted);
  let next = 0;
  let start = 0;
  for (const text of textsIn(place)) {
    await turns.take();
    if (!wanted()) return;
    const end = start + text.length;
    const first = next;
    while ((words[next]?.from ?? Infinity) < end) next += 1;
    if (next > first) replaceKeepingSelection(text, paint(text, start, words.slice(first, next)));
    if ((words[next - 1]?.to ?? 0) > end) next -= 1; // it goes on in the next text
    start = end;
  }
}

async function read(text: string, parser: Parser, turns: Turns, wanted: () => boolean): Promise<Word[]> {
  const parse = parser.startParse(text);
  let tree: Tree | null = null;
  while (!(tree = parse.advance())) {
    await turns.take();
    if (!wanted()) return [];
  }
  const words: Word[] = [];
  highlightTree(tree, codeTheme, (from, to, look) => words.push({ from, to, look }));
  return words;
}

/** The same text in pieces. `start` is where it begins in all of the code. */
function paint(text: Text, start: number, words: Word[]): DocumentFragment {
  const whole = text.data;
  const painted = document.createDocumentFragment();
  let done = 0;
  for (const { from, to, look } of words) {
    const [begin, end] = [Math.max(0, from - start), Math.min(whole.length, to - start)];
    if (begin > done) painted.append(whole.slice(done, begin));
    const word = document.createElement("span");
    word.className = look;
    word.textContent = whole.slice(begin, end);
    painted.append(word);
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

/** Lets the page do what else it has to. */
class Turns {
  #until = performance.now() + STRETCH_MS;

  async take(): Promise<void> {
    if (performance.now() < this.#until) return;
    await new Promise((done) => setTimeout(done));
    this.#until = performance.now() + STRETCH_MS;
  }
}
