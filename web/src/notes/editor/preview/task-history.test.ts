import { expect, it } from "vitest";

import { TaskHistory } from "./task-history.ts";

const TEXT = "- [ ] milk\n- [X] eggs";

it("toggles are undone one by one, exactly", () => {
  const history = new TaskHistory();
  const one = history.make(TEXT, 0, true);
  const two = history.make(one, 1, false);
  expect(two).toBe("- [x] milk\n- [ ] eggs");
  expect(history.takeBack(two)).toEqual({ index: 1, before: one });
  expect(history.takeBack(one)).toEqual({ index: 0, before: TEXT });
  expect(history.takeBack(TEXT)).toBeNull();
});

it("toggles are not undone if the text was changed otherwise since", () => {
  const history = new TaskHistory();
  const more = `${history.make(TEXT, 0, true)}\n- [ ] bread`;
  expect(history.takeBack(more)).toBeNull();
  const again = history.make(more, 2, true);
  expect(history.takeBack(again)).toEqual({ index: 2, before: more });
  expect(history.takeBack(more)).toBeNull();
});
