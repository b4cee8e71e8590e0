/** Bringing two people's changes to one text together, and keeping a cursor where it was. */

/** One stretch of a text replaced: `[start, end)` of the old text became `text`. */
export interface Change {
  start: number;
  end: number;
  text: string;
}

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

/** Where a cursor at `position` belongs after `change`: it stays with the text around it. */
export function movedBy(change: Change, position: number): number {
  if (position <= change.start) return position;
  if (position >= change.end) return position + change.text.length - (change.end - change.start);
  return Math.min(position, change.start + change.text.length);
}

/** Both changes of `base` in one text; null where they touch the same place. */
export function merged(base: string, mine: string, theirs: string): string | null {
  if (mine === theirs) return mine;
  const here = changeBetween(base, mine);
  const there = changeBetween(base, theirs);
  if (!here) return theirs;
  if (!there) return mine;
  if (!apart(here, there)) return null;
  const [first, second] = here.start <= there.start ? [here, there] : [there, here];
  return (
    base.slice(0, first.start) +
    first.text +
    base.slice(first.end, second.start) +
    second.text +
    base.slice(second.end)
  );
}

// touching is not apart: two words put in at one place have no order
function apart(a: Change, b: Change): boolean {
  return a.end < b.start || b.end < a.start;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}
