import { expect, it } from "vitest";

import { atMost } from "./at-most.ts";

function field(text: string, at: number, init: InputEventInit = {}): [HTMLInputElement, string[]] {
  const input = document.createElement("input");
  const read: string[] = [];
  input.addEventListener("input", () => read.push(input.value));
  atMost(5)(input);
  input.value = text;
  input.setSelectionRange(at, at);
  input.dispatchEvent(new InputEvent("input", init));
  return [input, read];
}

it("counts characters, not UTF-16 units", () => {
  expect(field("😀😀😀😀😀", 10)[1]).toEqual(["😀😀😀😀😀"]);
  expect(field("😀😀😀😀😀😀", 12)[1]).toEqual(["😀😀😀😀😀"]);
});

it("cuts off what was inserted, where it was inserted", () => {
  const [input, read] = field("ab12345cd", 7);
  expect(read).toEqual(["ab1cd"]);
  expect(input.selectionStart).toBe(3);
});

it("waits for the end of a composition", () => {
  const [input, read] = field("1234567", 7, { isComposing: true });
  expect(read).toEqual(["1234567"]);
  input.dispatchEvent(new Event("compositionend"));
  expect(read.at(-1)).toBe("12345");
});
