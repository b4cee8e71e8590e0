import { expect, it } from "vitest";

import { Ticks } from "./task-history.ts";

const TEXT = "- [ ] milk\n- [X] eggs";

it("are taken back one by one, to the letter", () => {
  const ticks = new Ticks();
  const one = ticks.make(TEXT, 0, true);
  const two = ticks.make(one, 1, false);
  expect(two).toBe("- [x] milk\n- [ ] eggs");
  expect(ticks.takeBack(two)).toEqual({ index: 1, before: one });
  expect(ticks.takeBack(one)).toEqual({ index: 0, before: TEXT });
  expect(ticks.takeBack(TEXT)).toBeNull();
});

it("stay where the text was changed otherwise since", () => {
  const ticks = new Ticks();
  const more = `${ticks.make(TEXT, 0, true)}\n- [ ] bread`;
  expect(ticks.takeBack(more)).toBeNull();
  const again = ticks.make(more, 2, true);
  expect(ticks.takeBack(again)).toEqual({ index: 2, before: more });
  expect(ticks.takeBack(more)).toBeNull();
});
