/**
 * Mentions of notes in a message. The message sent contains `[Title](/notes/<id>)`, so that the assistant knows which
 * note is meant; the text field shows `@Title`.
 */

import type { Id } from "../api/types.ts";

export interface Mention {
  id: Id;
  title: string;
}

/** A part of a message sent: text, or a mention. */
export type MessageSegment = string | Mention;

const LINK = /\[((?:\\.|[^[\]\\])+)\]\(\/notes\/([0-9a-f-]{36})\)/gi;
const QUERY_MOST = 60;

export function messageSegments(sent: string): MessageSegment[] {
  const found: MessageSegment[] = [];
  let end = 0;
  for (const match of sent.matchAll(LINK)) {
    if (match.index > end) found.push(sent.slice(end, match.index));
    found.push({ id: match[2] ?? "", title: (match[1] ?? "").replace(/\\(.)/g, "$1") });
    end = match.index + match[0].length;
  }
  if (end < sent.length) found.push(sent.slice(end));
  return found;
}

/** Converts a message to send into the text of the field. */
export function asWritten(sent: string): string {
  return messageSegments(sent)
    .map((segment) => (typeof segment === "string" ? segment : `@${segment.title}`))
    .join("");
}

/** The inverse of `asWritten`. `named`: the notes that may be mentioned; those with the same title in their order. */
export function asSent(written: string, named: Mention[]): string {
  if (named.length === 0) return written;
  const left = [...named];
  const titles = [...new Set(named.map(({ title }) => title))].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(`@(${titles.map(escaped).join("|")})(?![\\p{L}\\p{N}])`, "gu");
  return written.replace(pattern, (all, title: string) => {
    const next = left.findIndex((one) => one.title === title);
    const mention = left[next] ?? named.findLast((one) => one.title === title);
    if (!mention) return all;
    if (next >= 0) left.splice(next, 1);
    return link(mention);
  });
}

export function mentionsIn(sent: string): Mention[] {
  return messageSegments(sent).filter((segment) => typeof segment !== "string");
}

/** The query after the `@` before the caret, and the position of the `@`; null if no mention is being typed. */
export function mentionAt(
  written: string,
  caret: number,
  named: Mention[],
): { from: number; query: string } | null {
  const before = written.slice(Math.max(0, caret - QUERY_MOST), caret);
  const found = /(?:^|[\s(“"'])@([^\s@][^@\n]*)?$/u.exec(before);
  if (!found) return null;
  const query = found[1] ?? "";
  if (named.some(({ title }) => query.startsWith(title))) return null;
  return { from: caret - query.length - 1, query };
}

function link({ id, title }: Mention): string {
  return `[${title.replace(/[[\]\\]/g, "\\$&")}](/notes/${id})`;
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}
