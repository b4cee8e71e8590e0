/** The rows of a virtual list that are rendered: those in view, a few around them, and the focused one. */

/** Extra rows beyond either edge: enough for the next key press and a quick scroll. */
const AROUND = 8;

export interface Viewport {
  /** The scroll position, the visible height, and the height of a row, in pixels. */
  top: number;
  height: number;
  row: number;
}

/** Their indices, in order. `focused`: a row that is always included, or -1. */
export function visibleRows({ top, height, row }: Viewport, count: number, focused: number): number[] {
  const first = Math.max(0, Math.min(Math.floor(top / row) - AROUND, count - 1));
  const last = Math.min(count - 1, Math.ceil((top + height) / row) + AROUND);
  const rows = Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
  if (focused < 0 || focused >= count || (focused >= first && focused <= last)) return rows;
  return focused < first ? [focused, ...rows] : [...rows, focused];
}
