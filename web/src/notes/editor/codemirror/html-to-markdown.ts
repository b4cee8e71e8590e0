/** HTML of the clipboard as Markdown. Loaded when some is pasted. Nothing of the HTML becomes part of the page. */

import { gfm } from "@joplin/turndown-plugin-gfm";
import TurndownService from "turndown";

const converter = new TurndownService({
  headingStyle: "atx",
  hr: "---",
  bulletListMarker: "-",
  codeBlockStyle: "fenced",
  emDelimiter: "*",
});
converter.use(gfm);
converter.remove(["script", "style", "title", "noscript"]);

const ADDRESS = /^(?:https?:|mailto:|tel:)/i;

converter.addRule("struckOut", {
  filter: (node) => ["DEL", "S", "STRIKE"].includes(node.nodeName),
  replacement: (content) => (content.trim() ? `~~${content}~~` : content),
});

/** Google Docs wraps all that is copied in a `<b>` of normal weight. */
converter.addRule("notBold", {
  filter: (node) =>
    node.nodeName === "B" && /font-weight:\s*(?:normal|400)/i.test(node.getAttribute("style") ?? ""),
  replacement: (content) => content,
});

/** An address within the other site leads nowhere from a note. */
converter.addRule("linkWithin", {
  filter: (node) => node.nodeName === "A" && !ADDRESS.test(node.getAttribute("href") ?? ""),
  replacement: (content) => content,
});

converter.addRule("pictureWithin", {
  filter: (node) => node.nodeName === "IMG" && !/^https?:/i.test(node.getAttribute("src") ?? ""),
  replacement: (_, node) => (node instanceof Element ? (node.getAttribute("alt") ?? "") : ""),
});

/** An item's text begins one space after its mark, as lists are written here. */
converter.addRule("item", {
  filter: "li",
  replacement: (content, node) => {
    const list = node.parentElement;
    const number =
      Number(list?.getAttribute("start") ?? 1) + [...(list?.children ?? [])].indexOf(node as Element);
    const mark = list?.nodeName === "OL" ? `${number}. ` : "- ";
    const text = content.trim().replace(/^(\[[ x]\]) +/, "$1 ");
    return `${mark}${text.replace(/\n(?=.)/g, `\n${" ".repeat(mark.length)}`)}${node.nextSibling ? "\n" : ""}`;
  },
});

export function htmlToMarkdown(html: string): string {
  return converter.turndown(html);
}
