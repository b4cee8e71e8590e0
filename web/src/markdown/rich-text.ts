/** An answer as rich text, for programs that it is pasted into: they know neither Markdown nor this page's styles. */

import { answers } from "./markdown.ts";

/** Sanitised HTML of the whole text. Tasks get characters for their checkboxes. */
export function richText(text: string): string {
  const page = document.createElement("template");
  page.innerHTML = answers.render(answers.lex(text));
  for (const box of page.content.querySelectorAll("input"))
    box.replaceWith(box.hasAttribute("checked") ? "\u2611" : "\u2610");
  for (const link of page.content.querySelectorAll("a")) {
    for (const name of ["target", "rel", "title"]) link.removeAttribute(name);
    if (link.getAttribute("href")?.startsWith("/")) link.href = new URL(link.href, location.href).href;
  }
  return page.innerHTML;
}
