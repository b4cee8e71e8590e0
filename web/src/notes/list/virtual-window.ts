/** Which rows of a long list are in the page: those in sight, a few around them, and the one that has the focus. */

/** Rows beyond either edge: enough for the next key press and a quick turn of the wheel. */
const AROUND = 8;

export interface Viewport {
  /** How far the list is scrolled, and how much of it is to be seen; in pixels, as is `row`. */
  top: number;
  height: number;
  row: number;
}

/** Their indices, in order. `focused`: a row that stays wherever the list is scrolled, or -1. */
export function visibleRows({ top, height, row }: Viewport, count: number, focused: number): number[] {
  const first = Math.max(0, Math.min(Math.floor(top / row) - AROUND, count - 1));
  const last = Math.min(count - 1, Math.ceil((top + height) / row) + AROUND);
  const rows = Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
  if (focused < 0 || focused >= count || (focused >= first && focused <= last)) return rows;
  return focused < first ? [focused, ...rows] : [...rows, focused];
}
