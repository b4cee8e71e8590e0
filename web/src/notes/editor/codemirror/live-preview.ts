/**
 * Live preview. On lines without a caret, Markdown's marks are hidden, tasks are checkboxes and pictures are shown where
 * they stand; on a caret's line the marks are faint. The text is never changed: what is copied is its source.
 */

import { syntaxTree } from "@codemirror/language";
import type { EditorState, Extension, Range } from "@codemirror/state";
import {
  Decoration,
  EditorView,
  ViewPlugin,
  WidgetType,
  type DecorationSet,
  type ViewUpdate,
} from "@codemirror/view";
import type { SyntaxNodeRef } from "@lezer/common";

import { wikiLinkAt } from "../../../markdown/wiki-link.ts";
import { offerPicture } from "../preview/pictures.ts";
import { asOpen } from "./hanging-indent.ts";
import { caretLines, caretLinesOf, hasCaretLine } from "./caret-lines.ts";
import { foundMarksOf, foundOverlaps, foundWords } from "./found-words.ts";

const HIDDEN = Decoration.replace({});
const FAINT = Decoration.mark({ class: "cm-faint" });
const BULLET = Decoration.mark({ class: "cm-bullet" });
const RULE = Decoration.line({ class: "cm-rule" });

/** A task's checkbox, as wide as its source, so that the words behind it stay where they are. */
class TaskBox extends WidgetType {
  constructor(
    readonly source: string,
    readonly locked: boolean,
  ) {
    super();
  }
  override eq(other: TaskBox) {
    return other.source === this.source && other.locked === this.locked;
  }
  override toDOM() {
    const place = document.createElement("span");
    place.className = "cm-task";
    const space = document.createElement("span");
    space.textContent = asOpen(this.source);
    space.ariaHidden = "true";
    const box = document.createElement("input");
    box.type = "checkbox";
    box.tabIndex = -1; // Mod-Enter toggles it: Tab is for leaving the field
    box.checked = /x/i.test(this.source);
    box.disabled = this.locked;
    box.ariaLabel = box.checked ? "Done" : "To do";
    place.append(space, box);
    return place;
  }
  override ignoreEvent() {
    return false;
  }
}

/** The bar of a quotation inside a quotation. */
class InnerQuote extends WidgetType {
  override eq() {
    return true;
  }
  override toDOM() {
    const bar = document.createElement("span");
    bar.className = "cm-inner-quote";
    return bar;
  }
}
const INNER_QUOTE = Decoration.replace({ widget: new InnerQuote() });

class Picture extends WidgetType {
  constructor(
    readonly address: string,
    readonly alt: string,
    /** Addresses of pictures that the user has loaded. */
    readonly wanted: Set<string>,
  ) {
    super();
  }
  override eq(other: Picture) {
    return other.address === this.address && other.alt === this.alt;
  }
  override toDOM(view: EditorView) {
    const place = document.createElement("span");
    place.className = "cm-picture";
    const link = document.createElement("a");
    link.className = "image-link";
    link.textContent = this.alt || "Picture";
    // as the preview's sanitizer does: nothing else may be followed
    if (/^(?:https?:|\/(?!\/))/i.test(this.address)) link.href = this.address;
    link.target = "_blank";
    link.rel = "noopener noreferrer nofollow";
    place.append(link);
    offerPicture(link, this.wanted);
    place.addEventListener("load", () => view.requestMeasure(), { capture: true });
    return place;
  }
  override ignoreEvent(event: Event) {
    return event.target instanceof HTMLElement && event.target.closest("button, a") !== null;
  }
}

interface Drawing {
  state: EditorState;
  add: (decoration: Decoration, from: number, to?: number) => void;
  wanted: Set<string>;
}

/** Hides a mark, or makes it faint if a caret stands in its line, or a search has found it. */
function conceal({ state, add }: Drawing, from: number, to: number, shown?: boolean): void {
  if (from >= to) return;
  shown ??= hasCaretLine(state, from, to);
  if (shown || foundOverlaps(state, from, to) || state.doc.lineAt(from).to < to) add(FAINT, from, to);
  else add(HIDDEN, from, to);
}

const blanksAfter = (state: EditorState, at: number) =>
  at + (/^[ \t]*/.exec(state.sliceDoc(at, at + 8))?.[0].length ?? 0);

type Draw = (drawing: Drawing, node: SyntaxNodeRef) => false | void;

const mark: Draw = (drawing, { from, to }) => conceal(drawing, from, to);

const DRAWN: Record<string, Draw> = {
  EmphasisMark: mark,
  StrikethroughMark: mark,
  HighlightMark: mark,
  HeaderMark(drawing, { from, to, node }) {
    const { state, add } = drawing;
    const line = state.doc.lineAt(from);
    const isAlone =
      line.text.slice(0, from - line.from).trim() + line.text.slice(to - line.from).trim() === "";
    if (node.parent?.name.startsWith("Setext") || isAlone) return add(FAINT, from, to);
    if (node.prevSibling?.name !== "HeaderMark" && from === node.parent?.from)
      return conceal(drawing, from, blanksAfter(state, to));
    const before = line.text.slice(0, from - line.from);
    conceal(drawing, from - (before.length - before.trimEnd().length), to);
  },
  CodeMark(drawing, { from, to, node: { parent } }) {
    if (parent?.name === "InlineCode") conceal(drawing, from, to);
    else if (parent) conceal(drawing, from, to, hasCaretLine(drawing.state, parent.from, parent.to));
  },
  QuoteMark(drawing, { from, to }) {
    const { state, add } = drawing;
    const line = state.doc.lineAt(from);
    const end = state.sliceDoc(to, to + 1) === " " ? to + 1 : to;
    const isInner = line.text.slice(0, from - line.from).includes(">");
    if (isInner && !hasCaretLine(state, from, to)) add(INNER_QUOTE, from, end);
    else conceal(drawing, from, end);
  },
  Escape(drawing, { from }) {
    conceal(drawing, from, from + 1);
  },
  Autolink(drawing, { node }) {
    for (const { from, to } of node.getChildren("LinkMark")) conceal(drawing, from, to);
  },
  Link(drawing, { to, node }) {
    const [open, close] = node.getChildren("LinkMark");
    // without an address it is a reference, or brackets that are meant as such
    if (!open || !close || close.from === open.to || !node.getChild("URL")) return;
    conceal(drawing, open.from, open.to);
    conceal(drawing, close.from, to);
  },
  WikiLink(drawing, { from, to }) {
    const link = wikiLinkAt(drawing.state.sliceDoc(from, to));
    if (!link) return;
    const label = link.raw.indexOf("|");
    conceal(drawing, from, label < 0 ? from + "[[".length : from + label + 1);
    conceal(drawing, to - "]]".length, to);
  },
  Image({ state, add, wanted }, { from, to, node }) {
    const url = node.getChild("URL");
    const [open, close] = node.getChildren("LinkMark");
    if (!url || !open || !close || hasCaretLine(state, from, to) || foundOverlaps(state, from, to)) return;
    if (state.doc.lineAt(from).to < to) return;
    const address = state.sliceDoc(url.from, url.to).replace(/^<|>$/g, "");
    const alt = state.sliceDoc(open.to, close.from);
    add(Decoration.replace({ widget: new Picture(address, alt, wanted) }), from, to);
    return false;
  },
  HorizontalRule(drawing, { from, to }) {
    if (!hasCaretLine(drawing.state, from, to)) drawing.add(RULE, drawing.state.doc.lineAt(from).from);
    conceal(drawing, from, to);
  },
  ListMark({ state, add }, { from, to, node }) {
    const task = node.nextSibling?.name === "Task" ? node.nextSibling.getChild("TaskMarker") : null;
    if (!/^[-*+]$/.test(state.sliceDoc(from, to))) return;
    if (!task) return hasCaretLine(state, from, to) ? add(FAINT, from, to) : add(BULLET, from, to);
    const end = blanksAfter(state, task.to);
    // in its own line too, unless the caret stands in the source of the box
    const isEdited =
      hasCaretLine(state, from, to) && state.selection.ranges.some(({ head }) => head >= from && head < end);
    if (isEdited || foundOverlaps(state, from, end)) return;
    add(Decoration.replace({ widget: new TaskBox(state.sliceDoc(from, end), state.readOnly) }), from, end);
  },
};

function draw(view: EditorView, wanted: Set<string>): DecorationSet {
  const found: Range<Decoration>[] = [];
  const add = (decoration: Decoration, from: number, to = from) =>
    void found.push(decoration.range(from, to));
  const drawing = { state: view.state, add, wanted };
  for (const { from, to } of view.visibleRanges)
    syntaxTree(view.state).iterate({ from, to, enter: (node) => DRAWN[node.name]?.(drawing, node) });
  return Decoration.set(found, true);
}

const concealed = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet;
    /** Addresses of pictures that the user has loaded. */
    #wanted = new Set<string>();
    constructor(view: EditorView) {
      this.decorations = draw(view, this.#wanted);
    }
    update(update: ViewUpdate) {
      const { state, startState } = update;
      const changed =
        update.docChanged ||
        update.viewportChanged ||
        caretLinesOf(state) !== caretLinesOf(startState) ||
        (update.selectionSet && caretLinesOf(state).length > 0) || // within a line: in or out of a task's box
        foundMarksOf(state) !== foundMarksOf(startState) ||
        state.readOnly !== startState.readOnly ||
        syntaxTree(state) !== syntaxTree(startState);
      if (changed) this.decorations = draw(update.view, this.#wanted);
    }
  },
  { decorations: (plugin) => plugin.decorations },
);

const theme = EditorView.theme({
  ".cm-faint": { opacity: "0.4" },
  ".cm-faint, .cm-faint *": { color: "var(--ink)" },
  ".cm-bullet": { position: "relative" },
  ".cm-bullet > *, .cm-bullet": { color: "transparent" },
  ".cm-bullet::before": {
    content: '"•"',
    position: "absolute",
    insetInlineStart: "0",
    textIndent: "0",
    color: "var(--ink-faint)",
  },
  ".cm-task": { position: "relative" },
  ".cm-task > span": { visibility: "hidden", whiteSpace: "pre" },
  ".cm-task > input": {
    position: "absolute",
    insetInlineStart: "0",
    insetBlockStart: "50%",
    width: "1em",
    height: "1em",
    margin: "-0.5em 0 0",
    accentColor: "var(--accent)",
    cursor: "pointer",
  },
  // the area that a finger meets
  ".cm-task > input::before": { content: '""', position: "absolute", inset: "-0.4em" },
  ".cm-inner-quote": {
    display: "inline-block",
    height: "1.2em",
    marginInlineEnd: "1em",
    borderInlineStart: "2px solid var(--line-strong)",
    verticalAlign: "text-bottom",
  },
  ".cm-rule": {
    backgroundImage: "linear-gradient(var(--line-strong), var(--line-strong))",
    backgroundSize: "100% 1px",
    backgroundPosition: "center",
    backgroundRepeat: "no-repeat",
  },
  ".cm-picture .picture": { maxWidth: "100%", height: "auto", borderRadius: "var(--radius-s)" },
  ".cm-picture .picture-offer": {
    display: "inline-flex",
    flexWrap: "wrap",
    alignItems: "center",
    gap: "var(--space-1) var(--space-2)",
    padding: "var(--space-2) var(--space-3)",
    border: "1px dashed var(--line-strong)",
    borderRadius: "var(--radius)",
    font: "400 var(--text-s) / 1.4 var(--font-ui)",
    textIndent: "0",
    color: "var(--ink-soft)",
  },
});

export const livePreview: Extension = [caretLines, foundWords, concealed, theme];
