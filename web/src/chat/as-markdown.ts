/** A conversation as Markdown: who said what, in its order. */

import type { Entry } from "./runs/entries.ts";

export function asMarkdown(title: string, entries: Entry[]): string {
  const said = entries
    .filter(({ text }) => text.trim() !== "")
    .map(({ kind, text }) => `**${kind === "question" ? "You" : "Assistant"}:**\n\n${text.trim()}`);
  return [`# ${title || "Conversation"}`, ...said].join("\n\n");
}
