/** References, `[label]`, whose definitions, `[label]: address`, may stand anywhere, and come long after them. */

import type { Links, Token, Tokens } from "marked";

import { within } from "./markdown-parts.ts";

/** Of several for one label the first counts. */
export function definitionsIn(tokens: Token[]): Links {
  const found = Object.create(null) as Links; // a label may be `constructor`
  for (const token of tokens) {
    const { type, tag, href, title } = token as Tokens.Def;
    if (type === "def") found[tag] ??= { href, title };
    for (const [inner, link] of Object.entries(definitionsIn(within(token)))) found[inner] ??= link;
  }
  return found;
}

/** The labels that do not mean the same in both. */
export function changed(before: Links, after: Links): string[] {
  return Object.keys({ ...before, ...after }).filter(
    (tag) => before[tag]?.href !== after[tag]?.href || before[tag]?.title !== after[tag]?.title,
  );
}

/** Whether a reference in `source` may mean one of `tags`. */
export function mentions(source: string, tags: string[]): boolean {
  const text = source.toLowerCase().replace(/\s+/g, " ");
  return tags.some((tag) => text.includes(`[${tag}]`));
}
