/** Hanging indent: wrapped lines of a list item are aligned with its text, not with its marker. */

import { syntaxTree } from "@codemirror/language";
import {
  Decoration,
  ViewPlugin,
  type DecorationSet,
  type EditorView,
  type ViewUpdate,
} from "@codemirror/view";

const MARKS = /^\s*(?:[-*+]|\d+[.)])\s+(?:\[[ xX]\]\s+)?/;

/** The source of a task's box as if it were not done: the words of all tasks begin at the same place. */
export const asOpen = (marks: string) => marks.replace(/\[[xX]\]/, "[ ]");

/** Cache of the measured widths of list markers, by text and font: the font is proportional. */
class Widths {
  // not available in tests without a browser
  #context = "OffscreenCanvas" in globalThis ? new OffscreenCanvas(1, 1).getContext("2d") : null;
  #known = new Map<string, number>();

  of(marks: string, font: string): number {
    if (!this.#context) return 0;
    const key = `${font} ${marks}`;
    let width = this.#known.get(key);
    if (width === undefined) {
      this.#context.font = font;
      width = this.#context.measureText(marks).width;
      if (document.fonts.status === "loaded") this.#known.set(key, width);
    }
    return width;
  }
}

const widths = new Widths();

function draw(view: EditorView): DecorationSet {
  const { state } = view;
  const font = getComputedStyle(view.contentDOM).font;
  const found = new Map<number, Decoration>();
  for (const { from, to } of view.visibleRanges)
    syntaxTree(state).iterate({
      from,
      to,
      enter({ name, from }) {
        if (name === "FencedCode" || name === "Blockquote") return false;
        if (name !== "ListItem") return;
        const line = state.doc.lineAt(from);
        const marks = MARKS.exec(line.text)?.[0];
        if (!marks || found.has(line.from)) return;
        const width = `${widths.of(asOpen(marks), font).toFixed(1)}px`;
        const style = `padding-inline-start: ${width}; text-indent: -${width}`;
        found.set(line.from, Decoration.line({ attributes: { style } }));
      },
    });
  return Decoration.set(
    [...found].map(([at, line]) => line.range(at)),
    true,
  );
}

export const hangingIndent = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet;
    constructor(view: EditorView) {
      this.decorations = draw(view);
    }
    update(update: ViewUpdate) {
      const read = syntaxTree(update.state) !== syntaxTree(update.startState);
      if (update.docChanged || update.viewportChanged || update.geometryChanged || read)
        this.decorations = draw(update.view);
    }
  },
  { decorations: (plugin) => plugin.decorations },
);
