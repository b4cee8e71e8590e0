/** The editor's language: GitHub Flavored Markdown with links between notes and code in its own language. */

import { markdownLanguage } from "@codemirror/lang-markdown";
import { Language } from "@codemirror/language";
import { Tag, tags } from "@lezer/highlight";
import type { Element, MarkdownConfig, MarkdownParser } from "@lezer/markdown";

import { wikiLinkAt } from "./wiki-link.ts";
import { fences } from "./fences.ts";
import { MAX_DEPTH, piecesOf } from "./pieces.ts";

export const wikiLinkTag = Tag.define(tags.link);
const OPENING = "[".charCodeAt(0);

const wikiLinks: MarkdownConfig = {
  remove: ["Subscript", "Superscript", "Emoji"],
  defineNodes: [
    { name: "WikiLink", style: wikiLinkTag },
    { name: "WikiLinkMark", style: tags.processingInstruction },
  ],
  parseInline: [
    {
      name: "WikiLink",
      before: "Link",
      parse(context, next, position) {
        if (next !== OPENING) return -1;
        const link = wikiLinkAt(context.slice(position, context.end));
        if (!link) return -1;
        const end = position + link.raw.length;
        return context.addElement(
          context.elt("WikiLink", position, end, [
            context.elt("WikiLinkMark", position, position + 2),
            context.elt("WikiLinkMark", end - 2, end),
          ]),
        );
      },
    },
  ],
};

/** Blocks nested deeper than people write are text: each level costs as much as the whole line. */
const depth: MarkdownConfig = {
  parseBlock: [
    {
      name: "DeepText",
      before: "Blockquote",
      parse(context, line) {
        if (context.depth <= MAX_DEPTH) return false;
        const from = context.lineStart + line.pos;
        context.addElement(context.elt("Paragraph", from, context.lineStart + line.text.length));
        context.nextLine();
        return true;
      },
    },
  ],
};

/** Characters at the beginning of a line in which inline elements are looked for; what follows is plain text. */
export const MAX_MARKED = 10_000;

/**
 * Bounds the work for one paragraph. The parser's time for inline elements grows with the square of the marks in a
 * paragraph, and it cannot be interrupted there: 250 KB of links in one line took 20 seconds.
 *
 * Invariant: the time for a paragraph is at most proportional to its length. It holds because inline elements are looked
 * for in pieces of bounded size, each by itself. In a long line, the decorations that the browser has to lay out are
 * bounded too, because pieces beyond its first `MAX_MARKED` characters have no elements.
 */
function bounded(parser: MarkdownParser): MarkdownParser {
  const parseInline = parser.parseInline.bind(parser);
  parser.parseInline = (text, offset) => {
    const elements: Element[] = [];
    let from = 0;
    let lineStart = 0;
    for (const piece of piecesOf(text)) {
      const lineEnd = piece.lastIndexOf("\n");
      if (from - lineStart < MAX_MARKED || lineEnd >= 0)
        for (const element of parseInline(piece, offset + from)) elements.push(element);
      if (lineEnd >= 0) lineStart = from + lineEnd + 1;
      from += piece.length;
    }
    return elements;
  };
  return parser;
}

export const language = new Language(
  markdownLanguage.data,
  bounded((markdownLanguage.parser as MarkdownParser).configure([wikiLinks, depth, fences])),
  [],
  "markdown",
);
