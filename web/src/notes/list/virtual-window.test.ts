import { describe, expect, it } from "vitest";

import { visibleRows } from "./virtual-window.ts";

const sight = (top: number) => ({ top, height: 700, row: 70 });

describe("the visible rows", () => {
  it("are all of a short list, and none of an empty one", () => {
    expect(visibleRows(sight(0), 3, -1)).toEqual([0, 1, 2]);
    expect(visibleRows(sight(0), 0, -1)).toEqual([]);
  });

  it("are few of a long list, wherever it is scrolled", () => {
    for (const top of [0, 1, 69, 70, 35_000, 69_300, 90_000]) {
      const rows = visibleRows(sight(top), 1000, -1);
      expect(rows.length).toBeLessThan(30);
      for (const y of [top, top + 699]) {
        const there = Math.min(999, Math.floor(y / 70));
        expect(rows).toContain(there);
      }
    }
  });

  it("include the focused row, once and in order", () => {
    expect(visibleRows(sight(35_000), 1000, 2)[0]).toBe(2);
    expect(visibleRows(sight(0), 1000, 900).at(-1)).toBe(900);
    expect(visibleRows(sight(0), 1000, 3).filter((row) => row === 3)).toHaveLength(1);
    expect(visibleRows(sight(0), 3, 7)).toEqual([0, 1, 2]);
  });
});
