/** Decorations for conflicts: the lines of both texts, one after the other, each marked with its side. */

import { StateField, type Extension, type Range } from "@codemirror/state";
import { Decoration, EditorView, type DecorationSet } from "@codemirror/view";

import type { Stretch } from "../../sync/merge.ts";

interface Side {
  from: number;
  text: string;
  whose: "mine" | "theirs";
}

const LABELS = { mine: "yours", theirs: "theirs" };

const theme = EditorView.theme({
  ".cm-mine": { backgroundColor: "var(--accent-wash)" },
  ".cm-theirs": { backgroundColor: "var(--amber-wash)" },
  "[data-side]::after": {
    content: "attr(data-side)",
    float: "inline-end",
    marginInlineStart: "var(--space-2)",
    font: "400 var(--text-xs)/2.4 var(--font-ui)",
    color: "var(--ink-soft)",
  },
});

/** The initial text for merging: in each conflict my lines, then theirs. */
export function bothTexts(stretches: Stretch[]): string {
  return stretches.map((stretch) => versions(stretch).join("\n")).join("");
}

/** Marks the side of each conflicting line in `bothTexts`; the marks move with their lines during editing. */
export function conflictDecorations(stretches: Stretch[]): Extension {
  const field = StateField.define<DecorationSet>({
    create: () => Decoration.set(found(stretches).flatMap(lines)),
    update: (marks, transaction) => marks.map(transaction.changes),
    provide: (self) => EditorView.decorations.from(self),
  });
  return [field, theme];
}

function found(stretches: Stretch[]): Side[] {
  const all: Side[] = [];
  let from = 0;
  for (const stretch of stretches) {
    if (stretch.kind === "both") {
      if (stretch.mine) all.push({ from, text: stretch.mine, whose: "mine" });
      const behind = stretch.mine ? from + stretch.mine.length + 1 : from;
      if (stretch.theirs) all.push({ from: behind, text: stretch.theirs, whose: "theirs" });
    }
    from += versions(stretch).join("\n").length;
  }
  return all;
}

function lines({ from, text, whose }: Side): Range<Decoration>[] {
  const ranges: Range<Decoration>[] = [];
  let at = from;
  for (const line of text.split("\n")) {
    const attributes = at === from ? { "data-side": LABELS[whose] } : undefined;
    ranges.push(Decoration.line({ class: `cm-${whose}`, ...(attributes && { attributes }) }).range(at));
    at += line.length + 1;
  }
  return ranges;
}

function versions(stretch: Stretch): string[] {
  if (stretch.kind === "sure") return [stretch.text];
  return [stretch.mine, stretch.theirs].filter(Boolean);
}
