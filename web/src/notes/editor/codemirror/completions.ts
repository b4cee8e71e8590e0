/** Completion of note titles after `[[`, and of commands after `/`. */

import { autocompletion, type Completion, type CompletionContext } from "@codemirror/autocomplete";
import type { Extension } from "@codemirror/state";
import type { EditorView } from "@codemirror/view";

import type { Titles } from "../../links/titles.svelte.ts";
import { slashCommands } from "./slash-commands.ts";

// an unclosed `[[` before the cursor, on the same line
const BEGUN = /\[\[([^[\]|\n]*)$/;

export function completions(titles: Titles): Extension {
  return autocompletion({
    override: [(context) => offers(context, titles), slashCommands],
    icons: false,
    activateOnTypingDelay: 0,
    interactionDelay: 0, // Enter accepts the title at once
  });
}

async function offers(context: CompletionContext, titles: Titles) {
  const typed = context.matchBefore(BEGUN);
  if (!typed) return null;
  const request = new AbortController();
  context.addEventListener("abort", () => request.abort(), { onDocChange: true });
  const found = await titles.like(typed.text.slice(2), request.signal);
  const options = found.map((label, index): Completion => ({ label, apply, boost: -index }));
  return { from: typed.from + 2, options, filter: false };
}

/** Inserts the title and closes the link, unless it is closed already. */
function apply(view: EditorView, { label }: Completion, from: number, to: number): void {
  const end = view.state.sliceDoc(to, to + 2) === "]]" ? to + 2 : to;
  const insert = `${label}]]`;
  view.dispatch({
    changes: { from, to: end, insert },
    selection: { anchor: from + insert.length },
    userEvent: "input.complete",
  });
}
