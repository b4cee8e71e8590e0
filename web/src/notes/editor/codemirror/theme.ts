/** The editor's theme: text as rendered, with Markdown's syntax characters faint. */

import { HighlightStyle, languageDataProp, syntaxHighlighting, syntaxTree } from "@codemirror/language";
import { RangeSetBuilder, type Extension } from "@codemirror/state";
import { Decoration, EditorView, ViewPlugin, type DecorationSet, type ViewUpdate } from "@codemirror/view";
import { tags } from "@lezer/highlight";

import { codeTheme } from "../../../markdown/code/theme.ts";
import { hangingIndent } from "./hanging-indent.ts";
import { highlightTag, language, wikiLinkTag } from "../../../markdown/note-language.ts";

const heading = { fontWeight: "620", lineHeight: "1.3" };

const marks = HighlightStyle.define(
  [
    { tag: tags.heading1, ...heading, fontSize: "1.5rem" },
    { tag: tags.heading2, ...heading, fontSize: "1.25rem" },
    { tag: tags.heading3, ...heading, fontSize: "1.0625rem" },
    { tag: [tags.heading4, tags.heading5, tags.heading6], ...heading },
    { tag: tags.strong, fontWeight: "680" },
    { tag: tags.emphasis, fontStyle: "italic" },
    { tag: tags.strikethrough, textDecoration: "line-through" },
    { tag: highlightTag, backgroundColor: "var(--amber-wash)", borderRadius: "2px" },
    { tag: tags.quote, color: "var(--ink-soft)" },
    { tag: tags.link, color: "var(--accent)" },
    { tag: wikiLinkTag, color: "var(--accent)", textDecoration: "underline", textUnderlineOffset: "2px" },
    { tag: [tags.url, tags.labelName, tags.string], color: "var(--ink-faint)", wordBreak: "break-all" },
    { tag: tags.monospace, class: "cm-mono" },
    { tag: tags.atom, class: "cm-box" }, // a task's checkbox
    {
      tag: [tags.processingInstruction, tags.contentSeparator],
      color: "var(--ink-faint)",
      fontWeight: "400",
    },
    { tag: [tags.comment, tags.meta], color: "var(--ink-faint)" },
  ],
  { scope: language },
);

const theme = EditorView.theme({
  "&": { color: "var(--ink)", backgroundColor: "transparent" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { font: "inherit", lineHeight: "inherit", overflow: "visible" },
  ".cm-content": { padding: "0 0 20vh", minHeight: "50vh", caretColor: "var(--ink)" },
  ".cm-line": { padding: "0" },
  ".cm-line.cm-code": { direction: "ltr" },
  ".cm-placeholder": { color: "var(--ink-faint)" },
  ".cm-mono": { fontFamily: "var(--font-code)", fontSize: "0.86em" },
  ".cm-code": { backgroundColor: "var(--sunken)", fontFamily: "var(--font-code)", fontSize: "0.94rem" },
  ".cm-code .cm-mono": { fontSize: "inherit" },
  ".cm-quote": { borderInlineStart: "2px solid var(--line-strong)", paddingInlineStart: "1em" },
  ".cm-missing *": { textDecorationStyle: "dashed", opacity: "0.85" },
  ".cm-box": { color: "var(--accent)", cursor: "pointer" },
  ".cm-code .cm-box": { cursor: "inherit" },
  "&.cm-follows .cm-link": { cursor: "pointer" },
  ".cm-tooltip": {
    border: "1px solid var(--line)",
    borderRadius: "var(--radius)",
    backgroundColor: "var(--raised)",
    boxShadow: "var(--shadow)",
    overflow: "hidden",
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": {
    fontFamily: "var(--font-ui)",
    fontSize: "var(--text-m)",
    padding: "var(--space-1)",
    maxHeight: "16em",
    minWidth: "220px",
    maxWidth: "min(380px, 92vw)",
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": {
    padding: "5px 8px",
    lineHeight: "1.4",
    borderRadius: "var(--radius-s)",
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": {
    backgroundColor: "var(--accent-wash)",
    color: "var(--ink)",
  },
  ".cm-completionDetail": {
    float: "inline-end",
    marginInlineStart: "var(--space-4)",
    fontStyle: "normal",
    fontFamily: "var(--font-code)",
    color: "var(--ink-faint)",
  },
  ".cm-panels": { backgroundColor: "var(--paper)", color: "var(--ink)", zIndex: "2" },
  ".cm-panels-top": { border: "0" },
  ".cm-find": {
    display: "grid",
    gap: "var(--space-1)",
    padding: "var(--space-2) 0",
    borderBottom: "1px solid var(--line)",
    font: "400 var(--text-s) / 1.4 var(--font-ui)",
  },
  ".cm-find-row": { display: "flex", flexWrap: "wrap", alignItems: "center", gap: "var(--space-1)" },
  ".cm-find .field": { flex: "1 1 9em", width: "auto", minWidth: "0", minHeight: "var(--press-small)" },
  ".cm-find-count": { minWidth: "5.5em", color: "var(--ink-soft)", fontVariantNumeric: "tabular-nums" },
  ".cm-find label": { display: "inline-flex", alignItems: "center", gap: "6px", padding: "0 var(--space-2)" },
  ".cm-searchMatch": { backgroundColor: "var(--amber-wash)", borderRadius: "2px" },
  ".cm-searchMatch-selected": {
    backgroundColor: "var(--accent-wash)",
    boxShadow: "0 0 0 1.5px var(--accent)",
  },
  ".cm-found": { backgroundColor: "var(--amber-wash)", color: "inherit", borderRadius: "2px" },
  ".cm-completionMatchedText": { textDecoration: "none", fontWeight: "620" },
});

const WHOLE_LINES: Record<string, Decoration> = {
  FencedCode: Decoration.line({ class: "cm-code" }),
  CodeBlock: Decoration.line({ class: "cm-code" }),
  Blockquote: Decoration.line({ class: "cm-quote" }),
};

function lines(view: EditorView): DecorationSet {
  const builder = new RangeSetBuilder<Decoration>();
  let done = -1;
  for (const { from, to } of view.visibleRanges)
    syntaxTree(view.state).iterate({
      from,
      to,
      enter(node) {
        const decoration = WHOLE_LINES[node.name];
        if (!decoration) return;
        const { doc } = view.state;
        const last = doc.lineAt(Math.min(node.to, to)).number;
        for (let number = doc.lineAt(Math.max(node.from, from)).number; number <= last; number++) {
          const line = doc.line(number);
          if (line.from > done) builder.add(line.from, line.from, decoration);
          done = Math.max(done, line.from);
        }
        return false;
      },
    });
  return builder.finish();
}

const wholeLines = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet;
    constructor(view: EditorView) {
      this.decorations = lines(view);
    }
    update(update: ViewUpdate) {
      const read = syntaxTree(update.state) !== syntaxTree(update.startState);
      if (update.docChanged || update.viewportChanged || read) this.decorations = lines(update.view);
    }
  },
  { decorations: (plugin) => plugin.decorations },
);

export const editorTheme: Extension = [
  theme,
  syntaxHighlighting(marks),
  syntaxHighlighting({ ...codeTheme, scope: (type) => type.prop(languageDataProp) !== language.data }),
  wholeLines,
  hangingIndent,
];
