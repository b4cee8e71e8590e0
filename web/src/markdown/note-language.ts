/** The editor's language: GitHub Flavored Markdown with links between notes, highlighted words and code in its own language. */

import { markdownLanguage } from "@codemirror/lang-markdown";
import { Language } from "@codemirror/language";
import { Tag, tags } from "@lezer/highlight";
import type { Element, MarkdownConfig, MarkdownParser } from "@lezer/markdown";

import { wikiLinkAt } from "./wiki-link.ts";
import { fences } from "./fences.ts";
import { MAX_DEPTH, piecesOf } from "./pieces.ts";

export const wikiLinkTag = Tag.define(tags.link);
export const highlightTag = Tag.define();
const OPENING = "[".charCodeAt(0);
const EQUALS = "=".charCodeAt(0);

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

const HIGHLIGHT = { resolve: "Highlight", mark: "HighlightMark" };

/** `==like this==`: no blank inside next to the signs, so that comparisons are none. */
const highlights: MarkdownConfig = {
  defineNodes: [
    { name: "Highlight", style: { "Highlight/...": highlightTag } },
    { name: "HighlightMark", style: tags.processingInstruction },
  ],
  parseInline: [
    {
      name: "Highlight",
      after: "Emphasis",
      parse(context, next, at) {
        if (next !== EQUALS || context.char(at + 1) !== EQUALS || context.char(at + 2) === EQUALS) return -1;
        if (context.char(at - 1) === EQUALS && at > context.offset) return -1;
        const isBlank = (character: string) => /^\s?$/.test(character);
        const opens = !isBlank(context.slice(at + 2, at + 3));
        const closes = at > context.offset && !isBlank(context.slice(at - 1, at));
        return context.addDelimiter(HIGHLIGHT, at, at + 2, opens, closes);
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

/**
 * Pieces at the beginning of a line in which inline elements are looked for; what follows is plain text. Of prose these
 * are 8,000 characters. A few thousand elements in a line, each of which the browser lays out, keep a key waiting.
 */
const MAX_LINE_PIECES = 2;

/**
 * Bounds the work for one paragraph. The parser's time for inline elements grows with the square of the marks in a
 * paragraph, and it cannot be interrupted there: 250 KB of links in one line took 20 seconds.
 *
 * Invariant: the time for a paragraph is at most proportional to its length. It holds because inline elements are looked
 * for in pieces of bounded size, each by itself. The elements of one line, which the browser lays out as a whole, are
 * bounded too, because only its first pieces have some.
 */
function bounded(parser: MarkdownParser): MarkdownParser {
  const parseInline = parser.parseInline.bind(parser);
  parser.parseInline = (text, offset) => {
    const elements: Element[] = [];
    let from = 0;
    let ofLine = 0;
    for (const piece of piecesOf(text)) {
      const endsLine = piece.includes("\n");
      if (ofLine < MAX_LINE_PIECES || endsLine)
        for (const element of parseInline(piece, offset + from)) elements.push(element);
      ofLine = endsLine ? 0 : ofLine + 1;
      from += piece.length;
    }
    return elements;
  };
  return parser;
}

export const language = new Language(
  markdownLanguage.data,
  bounded((markdownLanguage.parser as MarkdownParser).configure([wikiLinks, highlights, depth, fences])),
  [],
  "markdown",
);
