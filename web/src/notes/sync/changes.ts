/** The difference between two texts, as a list of replacements. */

import { diffWordsWithSpace } from "diff";

/** One stretch of a text replaced: `[start, end)` of the old text became `text`. */
export interface Change {
  start: number;
  end: number;
  text: string;
}

/** Two texts that have little in common would take longer to compare; they count as one change. */
const LONGEST_MS = 100;

/** The smallest single replacement that turns `before` into `after`; null where they are equal. */
export function changeBetween(before: string, after: string): Change | null {
  if (before === after) return null;
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before[start] === after[start]) start++;
  let tail = 0;
  while (tail < shorter - start && before.at(-1 - tail) === after.at(-1 - tail)) tail++;
  // half of a surrogate pair on either edge belongs to the change
  if (start > 0 && isHighSurrogate(before.charCodeAt(start - 1))) start--;
  if (tail > 0 && isLowSurrogate(before.charCodeAt(before.length - tail))) tail--;
  return { start, end: before.length - tail, text: after.slice(start, after.length - tail) };
}

/** The replacements that turn `before` into `after`, word by word and in order; they do not touch each other. */
export function changesBetween(before: string, after: string): Change[] {
  const whole = changeBetween(before, after);
  if (!whole) return [];
  const { start, end, text } = whole;
  const old = before.slice(start, end);
  if (!old || !text) return [whole];
  const parts = diffWordsWithSpace(old, text, { timeout: LONGEST_MS });
  if (!parts) return [whole];
  const changes: Change[] = [];
  let at = start;
  let open: Change | null = null;
  for (const { value, added, removed } of parts) {
    if (!added && !removed) {
      at += value.length;
      open = null;
      continue;
    }
    if (!open) changes.push((open = { start: at, end: at, text: "" }));
    if (added) open.text += value;
    else open.end = at += value.length;
  }
  return changes;
}

/** Where a cursor at `position` belongs after `change`: it stays with the text around it. */
export function movedBy(change: Change, position: number): number {
  if (position <= change.start) return position;
  if (position >= change.end) return position + change.text.length - (change.end - change.start);
  return Math.min(position, change.start + change.text.length);
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}
