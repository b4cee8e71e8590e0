/** Applies remote changes to the editor without moving the cursor, and highlights them for a moment. */

import { Annotation, StateEffect, StateField, Transaction, type ChangeSpec } from "@codemirror/state";
import { Decoration, EditorView, ViewPlugin, type DecorationSet } from "@codemirror/view";

import { changesBetween } from "../../sync/changes.ts";

export const HIGHLIGHT_MS = 2_500;

/** Marks a transaction as a remote change. */
export const remoteChange = Annotation.define<boolean>();

const fade = StateEffect.define<null>();
const LIT = Decoration.mark({ tagName: "mark", class: "cm-landed" });

const lit = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, transaction) {
    if (transaction.effects.some((effect) => effect.is(fade))) return Decoration.none;
    marks = marks.map(transaction.changes);
    if (!transaction.annotation(remoteChange)) return marks;
    transaction.changes.iterChangedRanges((_, __, from, to) => {
      if (to > from) marks = marks.update({ add: [LIT.range(from, to)] });
    });
    return marks;
  },
  provide: (field) => EditorView.decorations.from(field),
});

const fades = ViewPlugin.fromClass(
  class {
    #timer: ReturnType<typeof setTimeout> | undefined;
    #view: EditorView;
    constructor(view: EditorView) {
      this.#view = view;
    }
    update({ transactions }: { transactions: readonly Transaction[] }) {
      if (!transactions.some((one) => one.annotation(remoteChange))) return;
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#view.dispatch({ effects: fade.of(null) }), HIGHLIGHT_MS);
    }
    destroy() {
      clearTimeout(this.#timer);
    }
  },
);

const theme = EditorView.theme({
  "@media (prefers-reduced-motion: no-preference)": {
    ".cm-landed": { animation: `cm-landed ${HIGHLIGHT_MS}ms ease-in forwards` },
  },
  "@keyframes cm-landed": {
    "60%": { backgroundColor: "var(--amber-wash)" },
    to: { backgroundColor: "transparent", boxShadow: "0 0 0 1px transparent" },
  },
});

export const remoteHighlight = [lit, fades, theme];

/** Changes the text to `wanted` by a minimal set of changes, which are not part of the undo history. */
export function applyRemoteText(view: EditorView, wanted: string): void {
  const changes: ChangeSpec[] = changesBetween(view.state.doc.toString(), wanted).map(
    ({ start, end, text }) => ({ from: start, to: end, insert: text }),
  );
  if (changes.length === 0) return;
  view.dispatch({ changes, annotations: [remoteChange.of(true), Transaction.addToHistory.of(false)] });
}
