/**
 * HTML in Markdown: which tags are markup, and which are text. Models write `Vec<String>`, `<your-api-key>` and
 * `ssh <user>@<host>` outside of code: a tag that is unknown, or has no counterpart, is shown as it was written.
 */

import type { Token, Tokens } from "marked";

import { within } from "./markdown-parts.ts";

const VOID = "br hr".split(" ");
const INLINE =
  "a abbr b cite code del dfn em i ins kbd mark q rp rt ruby s samp small strong sub sup u var".split(" ");
const BLOCK = "blockquote dd dl dt h1 h2 h3 h4 h5 h6 li ol p pre table tbody td tfoot th thead tr ul".split(
  " ",
);
/** Elements that are markup only inside one of these. */
const PARENTS: Record<string, string[]> = {
  dd: ["dl"],
  dt: ["dl"],
  li: ["ol", "ul"],
  rp: ["ruby"],
  rt: ["ruby"],
  tbody: ["table"],
  td: ["tr"],
  tfoot: ["table"],
  th: ["tr"],
  thead: ["table"],
  tr: ["table", "tbody", "tfoot", "thead"],
};

/** All elements that Markdown may contain as HTML. */
export const HTML_ELEMENTS = [...VOID, ...INLINE, ...BLOCK];
const KNOWN = new Set(HTML_ELEMENTS);

const ATTRIBUTES = /(?:\s+[a-zA-Z_:][\w.:-]*(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'=<>`]+))?)*\s*/.source;
const TAG = new RegExp(`<(/?)([a-zA-Z][a-zA-Z0-9-]*)${ATTRIBUTES}/?>`, "g");
const COMMENT = /^\s*<!--[\s\S]*?-->/;

/** Whether `source` begins with a tag, or a comment, that can be markup. */
export function beginsMarkup(source: string): boolean {
  if (/^ {0,3}<!--/.test(source)) return true;
  const name = /^ {0,3}<\/?([a-zA-Z][a-zA-Z0-9-]*)[\s/>]/.exec(source)?.[1];
  return name !== undefined && KNOWN.has(name.toLowerCase());
}

interface Tag {
  raw: string;
  name: string;
  closes: boolean;
  /** Has its counterpart, in an element that may contain it. */
  isMarkup: boolean;
}

/** A part of an HTML token: a tag, or the text between two. */
type Part = Tag | string;

/**
 * Turns tags without a counterpart into text. Counterparts are looked for among the tokens of one parent, and at the top
 * level within one token, so that what follows later in a growing text changes nothing in finished blocks.
 */
export function settleTags(tokens: Token[], escape: (text: string) => string): void {
  for (const token of tokens) {
    settleAmong([token], escape);
    settleWithin(token, escape);
  }
}

function settleWithin(token: Token | Tokens.TableCell, escape: (text: string) => string): void {
  for (const children of childLists(token)) {
    settleAmong(children, escape);
    for (const child of children) settleWithin(child, escape);
  }
}

/** Cells and items are parents of their own. */
function childLists(token: Token | Tokens.TableCell): Token[][] {
  const { tokens, items, rows } = token as Tokens.Generic;
  if (items ?? rows) return within(token).map((child) => (child as Tokens.Generic).tokens ?? []);
  return tokens ? [tokens] : [];
}

function settleAmong(tokens: Token[], escape: (text: string) => string): void {
  const parts = new Map<Token, Part[]>();
  for (const token of tokens) if (token.type === "html") parts.set(token, partsOf(token as Tokens.HTML));
  if (parts.size === 0) return;
  match([...parts.values()].flat().filter((part) => typeof part !== "string"));
  for (const [token, found] of parts) {
    const html = found.map((part) =>
      typeof part !== "string" ? (part.isMarkup ? part.raw : escape(part.raw)) : escape(part),
    );
    const isText = !found.some((part) => typeof part !== "string" && part.isMarkup);
    if (COMMENT.test(token.raw)) Object.assign(token, { text: "" });
    else if (!isText) Object.assign(token, { text: html.join("") });
    else if ((token as Tokens.HTML).block) Object.assign(token, { text: `<p>${html.join("")}</p>` });
    else Object.assign(token, { type: "text", text: token.raw, escaped: false });
  }
}

function partsOf({ raw }: Tokens.HTML): Part[] {
  const parts: Part[] = [];
  let end = 0;
  for (const found of raw.matchAll(TAG)) {
    if (found.index > end) parts.push(raw.slice(end, found.index));
    const [tag, slash, name = ""] = found;
    parts.push({ raw: tag, name: name.toLowerCase(), closes: slash === "/", isMarkup: false });
    end = found.index + tag.length;
  }
  if (end < raw.length) parts.push(raw.slice(end));
  return parts;
}

/** Marks the tags that have their counterpart. An element that is open when its parent ends is text. */
function match(tags: Tag[]): void {
  const open: Tag[] = [];
  const counts = new Map<string, number>();
  const count = (name: string, change: number) => counts.set(name, (counts.get(name) ?? 0) + change);
  for (const tag of tags) {
    if (!KNOWN.has(tag.name)) continue;
    if (VOID.includes(tag.name)) tag.isMarkup = !tag.closes;
    else if (!tag.closes) {
      open.push(tag);
      count(tag.name, 1);
    } else if (counts.get(tag.name)) {
      // what is passed over has no counterpart any more: each tag is looked at once
      let opening = open.pop();
      for (; opening && opening.name !== tag.name; opening = open.pop()) count(opening.name, -1);
      count(tag.name, -1);
      if (opening) opening.isMarkup = tag.isMarkup = true;
    }
  }
  orphans(tags);
}

/** An item without its list, or a cell without its table, is text. */
function orphans(tags: Tag[]): void {
  /** The open tags, each with the element that is open inside it. */
  const open: { tag: Tag; inner: Tag | undefined }[] = [];
  for (const tag of tags) {
    if (!tag.isMarkup || VOID.includes(tag.name)) continue;
    if (tag.closes) tag.isMarkup = open.pop()?.tag.isMarkup === true;
    else {
      const parents = PARENTS[tag.name];
      const parent = open.at(-1)?.inner;
      tag.isMarkup = !parents || (parent !== undefined && parents.includes(parent.name));
      open.push({ tag, inner: tag.isMarkup ? tag : parent });
    }
  }
}
