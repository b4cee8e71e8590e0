import { expect, it } from "vitest";

import { characters, isTooLong, shortened } from "./characters.ts";

it("counts as the server does: code points", () => {
  expect([characters(""), characters("añ"), characters("😀"), characters("👨‍👩‍👧")]).toEqual([0, 2, 1, 5]);
});

it("limits without cutting a character in two", () => {
  expect([isTooLong("😀😀", 2), isTooLong("😀😀😀", 2)]).toEqual([false, true]);
  expect([shortened("a😀b", 2), shortened("ab", 2)]).toEqual(["a😀", "ab"]);
});
