/** Incremental Markdown: parses and renders only what is new in a growing text. */

import type { Links, Token, Tokens } from "marked";

import type { DetailsToken } from "./details.ts";
import {
  codeOf,
  finishedLines,
  finishedWords,
  isClosed,
  sortOf,
  withoutHead,
  type Finished,
} from "./markdown-parts.ts";
import { changed, definitionsIn, mentions } from "./markdown-references.ts";
import { answers, type Dialect } from "./markdown.ts";

export interface HtmlBlock {
  key: number;
  kind: "html";
  /** Finished parts: each is the block's HTML with some of its rows, items or words. They do not change any more. */
  parts: readonly string[];
  /** The unfinished part, in the same form. Empty in a finished block. */
  open: string;
}

export interface CodeBlock {
  key: number;
  kind: "code";
  text: string;
  /** The fence's info string, or empty. */
  language: string;
  /** Its closing fence has arrived. */
  closed: boolean;
}

/** Begins `<details>`: the blocks up to the matching `DetailsEnd` are its content. */
export interface DetailsBlock {
  key: number;
  kind: "details";
  /** Sanitised HTML. */
  summary: string;
  open: boolean;
}

export interface DetailsEnd {
  key: number;
  kind: "end";
}

export type Block = HtmlBlock | CodeBlock | DetailsBlock | DetailsEnd;

/** Blocks as they are shown: details contain theirs. */
export type Nested = HtmlBlock | CodeBlock | (DetailsBlock & { blocks: Nested[] });

/** Details inside details: the content of deeper ones is shown beside their summary. */
const MAX_DETAILS = 32;

/** Details without an end go on to the end of the text; an end without a beginning is text. */
export function nested(blocks: Block[]): Nested[] {
  const lists: Nested[][] = [[]];
  for (const block of blocks) {
    const list = lists.at(-1) as Nested[];
    if (block.kind === "details" && lists.length > MAX_DETAILS) {
      list.push({ key: block.key, kind: "html", parts: [`<p>${block.summary}</p>`], open: "" });
      lists.push(list);
    } else if (block.kind === "details") {
      const within: Nested[] = [];
      list.push({ ...block, blocks: within });
      lists.push(within);
    } else if (block.kind !== "end") list.push(block);
    else if (lists.length > 1) lists.pop();
    else list.push({ key: block.key, kind: "html", parts: [STRAY_END], open: "" });
  }
  return lists[0] as Nested[];
}

const STRAY_END = "<p>&lt;/details&gt;</p>";

/** The finished parts of the last block. */
interface Growing {
  sort: string;
  head: string;
  parts: readonly string[];
  code: string;
}

/**
 * A block is settled once another block has begun after it; within the last block the same holds for rows, items, lines
 * of code and words. The work of `update` is proportional to the new text and the unsettled part it belongs to.
 * Invariant: the result always equals that of parsing the whole text so far at once. It holds because settled parts are
 * those that no following text can change, and a part that turns out to be something else is parsed again from the
 * beginning of its block. What is beyond the limits of `bounds.ts` is an exception: where a very long paragraph is cut
 * depends on where its parsing began.
 */
export class MarkdownStream {
  #dialect: Dialect;
  #source = "";
  #settled: Block[] = [];
  /** The text of each settled block. */
  #sources: string[] = [];
  /** Offsets of the last block, and of its unsettled rest. */
  #start = 0;
  #open = 0;
  #growing: Growing | null = null;
  /** Offset of the end of the last complete line. */
  #lines = 0;
  /** Link definitions: those in settled text, and those that everything is rendered with. */
  #defined: Links = {};
  #links: Links = {};

  constructor(dialect: Dialect = answers) {
    this.#dialect = dialect;
  }

  /** The blocks of `source`, which usually continues the previous call's text. */
  update(source: string): Block[] {
    const text = source.includes("\r") ? source.replace(/\r\n?/g, "\n") : source;
    if (!text.startsWith(this.#source)) this.#forget();
    this.#source = text;
    const lines = text.lastIndexOf("\n") + 1;
    if (lines > this.#lines) this.#settle((this.#lines = lines));
    let tokens = this.#read();
    const [first, ...more] = tokens;
    if (first?.type === "paragraph" && !more.some(isShown)) {
      if (this.#grow(first, finishedWords(first as Tokens.Paragraph))) tokens = this.#read();
    }
    const open = tokens
      .filter(isShown)
      .map((token, place) => this.#openBlock(token, this.#settled.length + place, place === 0));
    return [...this.#settled, ...open];
  }

  #forget(): void {
    this.#settled = [];
    this.#sources = [];
    this.#start = this.#open = this.#lines = 0;
    this.#growing = null;
    this.#defined = this.#links = {};
  }

  /** The tokens of the unsettled text up to `end`. */
  #read(end = this.#source.length): Token[] {
    const open = this.#open;
    const rest = this.#source.slice(open, end);
    const [first, ...more] = this.#lex((this.#growing?.head ?? "") + rest);
    if (this.#growing && (!first || sortOf(first) !== this.#growing.sort || mayBecomeTable(first, rest)))
      this.#restart();
    if (open !== this.#open) return this.#read(end);
    return first ? [withoutHead(first, this.#growing?.head ?? ""), ...more] : [];
  }

  /** The block has turned out to be of another kind: it is parsed again from its beginning. */
  #restart(): void {
    this.#open = this.#start;
    this.#growing = null;
  }

  /** Settles what is finished. Uses complete lines only, because an incomplete line may become anything. */
  #settle(end: number): void {
    const tokens = this.#read(end);
    const ends = tokens.filter((token) => isShown(token) && !mayBeText(token)).at(-1);
    const last = ends ? tokens.indexOf(ends) : -1;
    // text that looks like the beginning of a title may become part of the definition before it
    const titled = tokens.findIndex(
      (token, place) => token.type === "def" && /^["'(]/.test(tokens[place + 1]?.raw ?? ""),
    );
    for (const token of tokens.slice(0, Math.max(0, titled < 0 ? last : Math.min(titled, last))))
      this.#finish(token);
    const open = tokens[last];
    if (open && titled < 0) this.#grow(open, finishedLines(open, this.#growing?.head ?? ""));
  }

  #finish(token: Token): void {
    this.#open += token.raw.length - (this.#growing?.head.length ?? 0);
    if (isShown(token)) {
      const { parts = [], code = "" } = this.#growing ?? {};
      const key = this.#settled.length;
      this.#settled.push(
        token.type === "code"
          ? this.#code(token as Tokens.Code, code, key, true)
          : (this.#detailsBlock(token, key) ?? {
              key,
              kind: "html",
              parts: [...parts, this.#dialect.render([token])],
              open: "",
            }),
      );
      this.#sources.push(this.#source.slice(this.#start, this.#open));
    }
    this.#defined = { ...definitionsIn([token]), ...this.#defined };
    this.#start = this.#open;
    this.#growing = null;
  }

  /** Settles the finished parts of the last block, if there are any. */
  #grow(token: Token, finished: Finished | null): boolean {
    if (!finished) return false;
    const { parts = [], code = "" } = this.#growing ?? {};
    const part = finished.token;
    const isCode = part.type === "code";
    this.#growing = {
      sort: sortOf(token),
      head: finished.head,
      parts: isCode ? parts : [...parts, this.#dialect.render([part])],
      code: isCode ? code + (part as Tokens.Code).text : code,
    };
    this.#open += finished.length;
    this.#defined = { ...definitionsIn([part]), ...this.#defined };
    return true;
  }

  #openBlock(token: Token, key: number, isFirst: boolean): Block {
    const { parts = [], code = "" } = (isFirst && this.#growing) || {};
    if (token.type === "code") return this.#code(token as Tokens.Code, code, key, isClosed(token.raw));
    return (
      this.#detailsBlock(token, key) ?? { key, kind: "html", parts, open: this.#dialect.render([token]) }
    );
  }

  #detailsBlock(token: Token, key: number): DetailsBlock | DetailsEnd | null {
    if (token.type === "detailsEnd") return { key, kind: "end" };
    if (token.type !== "details") return null;
    const { open, tokens } = token as DetailsToken;
    const summary = this.#dialect.render([{ type: "text", raw: "", text: "Details", tokens }]) || "Details";
    return { key, kind: "details", open, summary };
  }

  #code(token: Tokens.Code, before: string, key: number, closed: boolean): CodeBlock {
    const language = (token.lang ?? "").split(/\s/)[0] ?? "";
    return { key, kind: "code", text: before + codeOf(token), language, closed };
  }

  /** Parses `text`, and renders settled blocks again that refer to a definition that is new in it. */
  #lex(text: string): Token[] {
    const tokens = this.#dialect.lex(text, this.#defined);
    const { links } = tokens;
    const tags = changed(this.#links, links);
    if (tags.length === 0) return tokens;
    this.#links = { ...links };
    this.#settled = this.#settled.map((block, place) => {
      const source = this.#sources[place] ?? "";
      if (block.kind !== "html" || !mentions(source, tags)) return block;
      return { ...block, parts: [this.#dialect.render(this.#dialect.lex(source, links))] };
    });
    if (this.#growing && mentions(this.#source.slice(this.#start, this.#open), tags)) this.#restart();
    return tokens;
  }
}

function isShown(token: Token): boolean {
  return token.type !== "space" && token.type !== "def";
}

/** A formula whose end has not arrived may turn out to be a line of the paragraph before it. */
function mayBeText(token: Token): boolean {
  return token.type === "formulaBlock" && (token as Tokens.Generic)["tex"] === null;
}

/** A paragraph's last line may turn out to be the head of a table, although its first words are settled already. */
function mayBecomeTable(token: Token, rest: string): boolean {
  return token.type === "paragraph" && /^[^\n]*\n[ |:]*-[ |:-]*(?:\n|$)/.test(rest);
}
