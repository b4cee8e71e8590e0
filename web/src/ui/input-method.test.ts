import { beforeAll, beforeEach, expect, it, vi } from "vitest";

import { leaveKeysToInputMethods } from "./input-method.ts";

const pressed = vi.fn();

beforeAll(() => leaveKeysToInputMethods(window));
beforeEach(() => {
  pressed.mockReset();
  document.body.innerHTML = `<form><input /></form><textarea></textarea><div class="cm-editor"><p></p></div>`;
  document.body.onkeydown = pressed;
});

function press(selector: string, init: KeyboardEventInit): boolean {
  const event = new KeyboardEvent("keydown", { bubbles: true, cancelable: true, ...init });
  return document.querySelector(selector)?.dispatchEvent(event) ?? false;
}

it.each([
  ["composes", { key: "Enter", isComposing: true }],
  ["has just composed, in Safari", { key: "Enter", keyCode: 229 }],
  ["closes its list", { key: "Escape", isComposing: true }],
])("keys are hidden while an input method %s", (_, init) => {
  press("textarea", init);
  press("input", init);
  expect(pressed).not.toHaveBeenCalled();
});

it("Enter then submits no form", () => {
  expect(press("input", { key: "Enter", keyCode: 229 })).toBe(false);
});

it("other keys, and those of the note editor, arrive", () => {
  press("textarea", { key: "Enter", keyCode: 13 });
  press(".cm-editor p", { key: "Enter", isComposing: true });
  expect(pressed).toHaveBeenCalledTimes(2);
});
