/** Finds the parts of a growing block that are finished: no text that follows can change them. */

import type { Token, Tokens } from "marked";

export interface Finished {
  /** A block with only the finished parts in it. */
  token: Token;
  /** The length of their source text, without a head that was put before it. */
  length: number;
  /** The text to put before the rest, so that the rest is parsed as the continuation of this block. */
  head: string;
}

/** Paragraphs shorter than this, in characters, are not split. */
const LONG_PARAGRAPH = 600;
/** Head for the rest of a paragraph: stands for the words before it. */
const PARAGRAPH_HEAD = "x ";
/** Characters that may open or close an inline element whose other half has not arrived yet. */
const HALF = /[`[\]\\]|(?<!\w)_|_(?!\w)|(?<! )[*~<]|[*~<](?! )|\$(?! )/;
const BREAK = /^<br *\/?>$/i;

/** Tokens of the same sort can be parts of one block. */
export const sortOf = (token: Token) => `${token.type} ${(token as Tokens.List).loose ?? ""}`;

/** `token` was parsed with `head` before its text; returns it without the head's content. */
export function withoutHead(token: Token, head: string): Token {
  if (head && token.type === "list") return { ...token, items: (token as Tokens.List).items.slice(1) };
  if (head !== PARAGRAPH_HEAD || token.type !== "paragraph") return token;
  const [words, ...more] = (token as Tokens.Paragraph).tokens as [Tokens.Text, ...Token[]];
  const shorter = {
    ...words,
    raw: words.raw.slice(PARAGRAPH_HEAD.length),
    text: words.text.slice(PARAGRAPH_HEAD.length),
  };
  return { ...token, tokens: [shorter, ...more] };
}

/** For a block whose text ends with a line break. Null if nothing is finished or it is not certain. */
export function finishedLines(token: Token, head: string): Finished | null {
  if (token.type === "code") return ofCode(token as Tokens.Code, head);
  if (token.type === "table") return ofTable(token as Tokens.Table, head);
  if (token.type === "list") return ofList(token as Tokens.List);
  return null;
}

export function codeOf({ raw, text }: Tokens.Code): string {
  // marked doubles the line break after an empty line
  return /^ {0,3}[`~]/.test(raw) && (text === "\n" || text.endsWith("\n\n")) ? text.slice(0, -1) : text;
}

/** Whether the code's opening fence has a closing one. */
export function isClosed(raw: string): boolean {
  const fence = /^ {0,3}(`{3,}|~{3,})/.exec(raw)?.[1];
  return fence !== undefined && new RegExp(`\\n {0,3}${fence}[\`~]*\\s*$`).test(raw);
}

/** All lines but the last. The line break before the last one belongs to the rest. */
function ofCode(token: Tokens.Code, before: string): Finished | null {
  const head = /^(?:`{3}|~{3}).*\n/.exec(token.raw)?.[0];
  const end = codeOf(token).lastIndexOf("\n");
  if (!head || end <= 0) return null;
  const text = token.text.slice(0, end);
  return { token: { ...token, text }, length: head.length + end - before.length, head };
}

/** All rows but the last. The line break before the last one belongs to the rest. */
function ofTable(token: Tokens.Table, before: string): Finished | null {
  const odd = token.rows.findIndex((row) => hasHtml(row));
  const rows = token.rows.slice(0, odd < 0 ? -1 : odd);
  if (rows.length === 0 || hasHtml(token.header)) return null;
  const lines = token.raw.split("\n");
  const head = lines.slice(0, 2).join("\n");
  const length = lines.slice(0, 2 + rows.length).join("\n").length - before.length;
  return { token: { ...token, rows }, length, head };
}

/** All items but the last. */
function ofList(token: Tokens.List): Finished | null {
  const odd = token.items.findIndex((item) => hasHtml([item]));
  const items = token.items.slice(0, odd < 0 ? -1 : Math.min(odd, token.items.length - 1));
  if (items.length === 0) return null;
  const [marker = ""] = /[*+-]|\d+[.)]/.exec(token.raw) ?? [];
  return {
    token: { ...token, items },
    length: items.reduce((sum, item) => sum + item.raw.length, 0),
    // an item that no following text can continue, and an empty line
    head: token.loose ? `${marker}    x\n\n` : "",
  };
}

/** HTML tags in one part of a block may affect the next part, so such parts are not split. */
function hasHtml(tokens: readonly (Token | Tokens.TableCell)[]): boolean {
  return tokens.some((token) =>
    "type" in token && token.type === "html" ? !BREAK.test(token.raw.trim()) : hasHtml(within(token)),
  );
}

/** The child tokens of `token`. */
export function within(token: Token | Tokens.TableCell): Token[] {
  const { tokens = [], items = [], header = [], rows = [] } = token as Tokens.Generic;
  return [...tokens, ...items, ...(Array.isArray(header) ? header : []), ...rows.flat()];
}

/** The words of a long paragraph, up to where an inline element may be incomplete. */
export function finishedWords(token: Tokens.Paragraph): Finished | null {
  if (token.raw.length < LONG_PARAGRAPH) return null;
  const before: Token[] = [];
  let tokens: Token[] = [];
  for (const inline of token.tokens) {
    if (inline.type === "text") {
      const text = wholeWords(inline.raw, inline === token.tokens.at(-1));
      if (text) tokens = [...before, { ...inline, raw: text, text }];
    }
    if (!isWhole(inline)) break;
    before.push(inline);
  }
  const raw = tokens.map((inline) => inline.raw).join("");
  // a line that may still turn out not to belong to the paragraph is not split
  if (!/[^\s|:=-]/.test(raw.slice(raw.lastIndexOf("\n") + 1))) return null;
  return { token: { ...token, tokens }, length: raw.length, head: PARAGRAPH_HEAD };
}

/** The longest prefix of `text` that ends with a space before a non-space character. */
function wholeWords(text: string, isLast: boolean): string {
  const half = text.search(HALF);
  const sound = half < 0 ? text : text.slice(0, half);
  const length = sound.search(/ \S*$/) + 1;
  return length === text.length && isLast ? "" : text.slice(0, length);
}

function isWhole(token: Token): boolean {
  if (token.type === "text") return !HALF.test(token.raw);
  if (token.type === "html") return BREAK.test(token.raw);
  if (token.type === "image" || (token as Tokens.Link).autolink) return true;
  return (token as Tokens.Generic).tokens?.every(isWhole) ?? true;
}
