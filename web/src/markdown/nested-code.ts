/** Code inside another block, such as a list item: it gets a head with its language and a button that copies it. */

import { copyText } from "../ui/clipboard.ts";
import { SHAPES, type IconName } from "../ui/icons.ts";

const LABEL = "Copy code";
const COPIED_MS = 1500;
const SVG = "http://www.w3.org/2000/svg";

export function addCopyButtons(part: ParentNode): void {
  for (const code of part.querySelectorAll<HTMLElement>("pre")) {
    const frame = element("div", "nested-code");
    frame.dir = "ltr";
    code.replaceWith(frame);
    frame.append(headOf(code), code);
    code.tabIndex = 0; // a scrollable region is reached by keyboard
  }
}

function headOf(code: HTMLElement): HTMLElement {
  const head = element("div", "head");
  const language = element("span", "");
  language.textContent = /language-(\S+)/.exec(code.firstElementChild?.className ?? "")?.[1] ?? "text";
  const button = element("button", "icon-button");
  button.type = "button";
  show(button, "copy", LABEL);
  button.addEventListener("click", () => void copy(button, code.textContent));
  head.append(language, button);
  return head;
}

async function copy(button: HTMLButtonElement, text: string): Promise<void> {
  if (await copyText(text)) show(button, "check", "Copied");
  else show(button, "close", "The browser did not allow it: select the text and copy it");
  setTimeout(() => show(button, "copy", LABEL), COPIED_MS);
}

function show(button: HTMLButtonElement, icon: IconName, label: string): void {
  button.ariaLabel = button.title = label;
  const picture = document.createElementNS(SVG, "svg");
  const attributes = { width: 15, height: 15, viewBox: "0 0 24 24", "aria-hidden": true, class: "icon" };
  for (const [name, value] of Object.entries(attributes)) picture.setAttribute(name, String(value));
  picture.append(document.createElementNS(SVG, "path"));
  picture.firstElementChild?.setAttribute("d", SHAPES[icon]);
  button.replaceChildren(picture);
}

function element<Tag extends "div" | "span" | "button">(
  tag: Tag,
  className: string,
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  made.className = className;
  return made;
}
