/** The editor's language: GitHub Flavored Markdown with links between notes and code in its own language. */

import { markdownLanguage } from "@codemirror/lang-markdown";
import { Language } from "@codemirror/language";
import { Tag, tags } from "@lezer/highlight";
import type { MarkdownConfig, MarkdownParser } from "@lezer/markdown";

import { wikiLinkAt } from "./wiki-link.ts";
import { fences } from "./fences.ts";

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

export const language = new Language(
  markdownLanguage.data,
  (markdownLanguage.parser as MarkdownParser).configure([wikiLinks, fences]),
  [],
  "markdown",
);
