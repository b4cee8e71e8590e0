import { CompletionContext } from "@codemirror/autocomplete";
import { LanguageSupport } from "@codemirror/language";
import { EditorState } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { language } from "../../../markdown/note-language.ts";
import { slashCommands } from "./slash-commands.ts";

beforeEach(() => void vi.useFakeTimers({ now: new Date(2026, 10, 8, 12) }));
afterEach(() => void vi.useRealTimers());

/** The field with the caret at `¦`, and what is offered there. */
function at(marked: string) {
  const head = marked.indexOf("¦");
  const state = EditorState.create({
    doc: marked.replace("¦", ""),
    selection: { anchor: head },
    extensions: new LanguageSupport(language),
  });
  return {
    view: new EditorView({ state }),
    offered: slashCommands(new CompletionContext(state, head, false)),
  };
}

/** The text after a command was chosen, with the caret at `¦`. */
function chosen(marked: string, label: string): string {
  const { view, offered } = at(marked);
  const option = offered?.options.find((one) => one.label === label);
  if (!offered || typeof option?.apply !== "function") throw new Error(`${label} is not offered`);
  option.apply(view, option, offered.from, view.state.selection.main.head);
  const { doc, selection } = view.state;
  const text = `${doc.sliceString(0, selection.main.head)}¦${doc.sliceString(selection.main.head)}`;
  view.destroy();
  return text;
}

describe("commands", () => {
  it.each([
    ["/¦", "Heading 2", "## ¦"],
    ["words /hea¦", "Heading 1", "# words ¦"],
    ["/ta¦", "Task list", "- [ ] ¦"],
    ["/ta¦", "Table", "| ¦ |  |\n| --- | --- |\n|  |  |"],
    ["words /¦", "Divider", "words \n\n---\n¦"],
    ["/co¦\nafter", "Code block", "```¦\n\n```\nafter"],
    ["/¦", "Quotation", "> ¦"],
    ["see /¦ there", "Link to a note", "see [[¦ there"],
    ["on /¦", "Today's date", "on 2026-11-08¦"],
  ])("%j: %s", (before, label, after) => expect(chosen(before, label)).toBe(after));

  it.each(["a/¦", "https:/¦", "/etc/¦", "/a.b¦", "```\n/¦\n```", "`a /¦ b`", "¦"])(
    "are not offered in %j",
    (text) => expect(at(text).offered).toBeNull(),
  );
});
