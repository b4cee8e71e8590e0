/** Rewrites links to a renamed note. The editor's parser distinguishes links from code. */

import { folded, wikiLinkAt } from "../../markdown/wiki-link.ts";
import { language } from "../../markdown/note-language.ts";

/** `text` with its links to `from` changed to `to`. Their labels stay. */
export function relinked(text: string, from: string, to: string): string {
  const wanted = folded(from);
  const pieces: string[] = [];
  let done = 0;
  language.parser.parse(text).iterate({
    enter({ name, from: start, to: end }) {
      if (name !== "WikiLink") return;
      const link = wikiLinkAt(text.slice(start, end));
      if (!link || folded(link.title) !== wanted) return;
      const at = text.indexOf(link.title, start);
      pieces.push(text.slice(done, at), to);
      done = at + link.title.length;
    },
  });
  return pieces.join("") + text.slice(done);
}
