/**
 * `<details>` with Markdown inside. Its two ends are blocks of their own, so that the blocks between them are parsed like
 * all others, and a growing text stays cheap: `Markdown.svelte` puts them into one element.
 */

import { Tokenizer, type MarkedExtension, type Token, type Tokens } from "marked";

import { paragraphOf } from "./bounds.ts";

export type DetailsToken = Tokens.Generic & { open: boolean; tokens: Token[] };

const BEGIN = /^ {0,3}<details(\s[^<>\n]*)?>[ \t]*(?=\n|$|<summary)/i;
/** The summary ends at its tag, or before an empty line. */
const SUMMARY = /^\s*<summary[^<>\n]*>([\s\S]*?)(?:<\/summary>[ \t]*|(?=\n[ \t]*\n)|$)/i;
const END = /^ {0,3}<\/details>[ \t]*(?=\n|$)/i;
const END_OF_LINE = /<\/details>[ \t]*(?=\n|$)/i;

export const details: MarkedExtension = {
  tokenizer: {
    // text that ends with the tag is neither a heading nor the head of a table, whatever follows
    lheading(source) {
      const heading = Tokenizer.prototype.lheading.call(this, source);
      return heading && !END_OF_LINE.test(heading.raw) ? heading : undefined;
    },
    table(source) {
      return END_OF_LINE.test(source.split("\n", 1)[0] ?? "")
        ? undefined
        : Tokenizer.prototype.table.call(this, source);
    },
  },
  extensions: [
    {
      name: "details",
      level: "block",
      tokenizer(source) {
        const [begin, attributes = ""] = BEGIN.exec(source) ?? [];
        if (begin === undefined) return undefined;
        const [summary = "", text = ""] = SUMMARY.exec(source.slice(begin.length)) ?? [];
        return {
          type: "details",
          raw: begin + summary,
          open: /\sopen\b/i.test(attributes),
          tokens: this.lexer.inline(text.trim().replace(/\s+/g, " "), []),
        };
      },
      childTokens: ["tokens"],
      renderer(token) {
        const { open, tokens } = token as DetailsToken;
        return `<details${open ? " open" : ""}><summary>${this.parser.parseInline(tokens) || "Details"}</summary>`;
      },
    },
    {
      name: "detailsEnd",
      level: "block",
      // also at the end of a line of text
      start: (source) => {
        const at = paragraphOf(source).search(END_OF_LINE);
        return at < 0 ? undefined : at;
      },
      tokenizer(source) {
        const raw = END.exec(source)?.[0];
        return raw === undefined ? undefined : { type: "detailsEnd", raw };
      },
      renderer: () => "</details>",
    },
  ],
};
