import { expect, it } from "vitest";

import { tasksOf, ticked } from "./tasks.ts";

const TEXT = `- [ ] one **b**
  - [x] two

    \`\`\`
    - [ ] in code
    \`\`\`
- three
- - [ ] four

> 1. [X] quoted

text that goes on
2. [ ] as before

\`- [ ] code\`
- [ ] loose

- [ ]
`;

it("tasks are found in lists only", () => {
  const lines = tasksOf(TEXT)?.map(({ at, done }) => [
    TEXT.slice(at - 1)
      .split("\n", 1)[0]
      ?.slice(4),
    TEXT[at],
    done,
  ]);
  expect(lines).toEqual([
    ["one **b**", " ", false],
    ["two", "x", true],
    ["four", " ", false],
    ["quoted", "X", true],
    ["loose", " ", false],
  ]);
});

it("tasks are toggled in place, and nothing else changes", () => {
  expect(ticked("- [ ] a\n- [ ] b\n", 1, true)).toBe("- [ ] a\n- [x] b\n");
  expect(ticked("- [ ] a\r\n- [X] b\r\n", 1, false)).toBe("- [ ] a\r\n- [ ] b\r\n");
  expect(ticked("* [x] a", 0, true)).toBe("* [x] a");
  expect(ticked("* [ ] a", 3, true)).toBe("* [ ] a");
});

it.each(["", "- [ ]", "[ ] no list", "-[ ] no list", "    - [ ] code"])(
  "tasks are not found in %j",
  (text) => {
    expect(tasksOf(text) ?? []).toEqual([]);
  },
);
