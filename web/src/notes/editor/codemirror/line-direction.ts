/** Each line is laid out in the direction of its own text, with its quote bar and list mark on that side. */

import { type Extension, RangeSetBuilder } from "@codemirror/state";
import { Decoration, EditorView, ViewPlugin, type DecorationSet, type ViewUpdate } from "@codemirror/view";

const AUTO = Decoration.line({ attributes: { dir: "auto" } });

function draw({ state: { doc }, visibleRanges }: EditorView): DecorationSet {
  const builder = new RangeSetBuilder<Decoration>();
  for (const { from, to } of visibleRanges)
    for (let line = doc.lineAt(from); ; line = doc.line(line.number + 1)) {
      builder.add(line.from, line.from, AUTO);
      if (line.to >= to || line.number === doc.lines) break;
    }
  return builder.finish();
}

const plugin = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet;
    constructor(view: EditorView) {
      this.decorations = draw(view);
    }
    update(update: ViewUpdate) {
      if (update.docChanged || update.viewportChanged) this.decorations = draw(update.view);
    }
  },
  { decorations: ({ decorations }) => decorations },
);

export const lineDirection: Extension = [plugin, EditorView.perLineTextDirection.of(true)];
