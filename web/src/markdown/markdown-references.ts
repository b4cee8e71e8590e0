/** Link references, `[label]`, whose definitions, `[label]: address`, may be anywhere in the text, also much later. */

import type { Links, Token, Tokens } from "marked";

import { within } from "./markdown-parts.ts";

/** If a label is defined several times, the first definition applies. */
export function definitionsIn(tokens: Token[]): Links {
  const found = Object.create(null) as Links; // a label may be `constructor`
  for (const token of tokens) {
    const { type, tag, href, title } = token as Tokens.Def;
    if (type === "def") found[tag] ??= { href, title };
    for (const [inner, link] of Object.entries(definitionsIn(within(token)))) found[inner] ??= link;
  }
  return found;
}

/** The labels whose definitions differ. */
export function changed(before: Links, after: Links): string[] {
  return Object.keys({ ...before, ...after }).filter(
    (tag) => before[tag]?.href !== after[tag]?.href || before[tag]?.title !== after[tag]?.title,
  );
}

/** Whether `source` may contain a reference to one of `tags`. */
export function mentions(source: string, tags: string[]): boolean {
  const text = source.toLowerCase().replace(/\s+/g, " ");
  return tags.some((tag) => text.includes(`[${tag}]`));
}
