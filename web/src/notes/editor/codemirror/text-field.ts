/** The text field for a note's body, based on CodeMirror. Loaded when a note is opened. */

import "./style-sheet.ts";

import { defaultKeymap, history, historyField, historyKeymap } from "@codemirror/commands";
import { openSearchPanel } from "@codemirror/search";
import { LanguageSupport } from "@codemirror/language";
import { Compartment, EditorState, Prec, type Extension } from "@codemirror/state";
import { EditorView, keymap, placeholder } from "@codemirror/view";

import { taskCheckboxes } from "./task-checkboxes.ts";
import { completions } from "./completions.ts";
import { markdownKeymap, tabFocus } from "./markdown-keymap.ts";
import { applyRemoteText, remoteChange, remoteHighlight } from "./remote-highlight.ts";
import { language } from "../../../markdown/note-language.ts";
import { linkDecorations, titlesChanged, type LinkOptions } from "./link-decorations.ts";
import { FORMATS, type Format } from "./formats.ts";
import { tables } from "./tables.ts";
import { editorTheme } from "./theme.ts";
import { findInNote } from "./find-panel.ts";
import { showFound } from "./found-words.ts";
import { livePreview } from "./live-preview.ts";
import { lineDirection } from "./line-direction.ts";
import { markdownPaste } from "./paste.ts";
import { overtyping } from "./overtyping.ts";
import { indentHistory } from "./indent-history.ts";

export { bothTexts, conflictDecorations } from "./conflict-decorations.ts";

export interface Selected {
  start: number;
  end: number;
}

/** What was typed into a note's field and can be undone. */
export interface UndoHistory {
  /** The text to which it belongs. */
  text: string;
  steps: unknown;
}

export interface FieldOptions extends LinkOptions {
  text: string;
  label: string;
  selected?: Selected;
  typed: (text: string) => void;
  left?: () => void;
  /** What an earlier field of the same note left. */
  history?: UndoHistory | undefined;
  more?: Extension;
}

export class TextField {
  readonly #view: EditorView;
  readonly #frozen = new Compartment();
  /** The note's line ending; inside the editor it is always `\n`. */
  readonly #lineEnd: "\n" | "\r\n";

  constructor(parent: HTMLElement, options: FieldOptions) {
    this.#lineEnd = lineEnd(options.text);
    const earlier = options.history;
    const doc = earlier?.text ?? this.#inside(options.text);
    const { start, end } = options.selected ?? { start: 0, end: 0 };
    const selection = { anchor: Math.min(start, doc.length), head: Math.min(end, doc.length) };
    const extensions = [
      Prec.high([tables(options.toNote), keymap.of(markdownKeymap)]),
      tabFocus(),
      indentHistory,
      options.more ?? [],
      livePreview, // before the links, so that a faint mark does not split one
      linkDecorations(options),
      taskCheckboxes,
      markdownPaste,
      findInNote,
      completions(options.titles),
      history(),
      earlier ? historyField.init(() => earlier.steps) : [],
      overtyping,
      keymap.of([...defaultKeymap, ...historyKeymap]),
      EditorView.lineWrapping,
      EditorView.contentAttributes.of({
        "aria-label": options.label,
        dir: "auto",
        spellcheck: "true",
        autocorrect: "on",
        autocapitalize: "sentences",
      }),
      lineDirection,
      placeholder("Write something…"),
      new LanguageSupport(language),
      editorTheme,
      remoteHighlight,
      this.#frozen.of([]),
      EditorView.updateListener.of((update) => {
        const own = update.transactions.some((one) => one.docChanged && !one.annotation(remoteChange));
        if (own) options.typed(this.#outside(update.state));
      }),
      EditorView.domEventHandlers({ blur: () => options.left?.() }),
    ];
    this.#view = new EditorView({ parent, state: EditorState.create({ doc, selection, extensions }) });
    if (earlier) this.show(options.text); // changed since, on this device or another
  }

  get history(): UndoHistory {
    const { state } = this.#view;
    return { text: state.doc.toString(), steps: state.field(historyField) };
  }

  /** Applies a remote text. */
  show(text: string): void {
    applyRemoteText(this.#view, this.#inside(text));
  }

  /** To be called when the known titles have changed. */
  refreshLinks(): void {
    this.#view.dispatch({ effects: titlesChanged.of(null) });
  }

  /** Marks the words that a search has found, and scrolls to the first. */
  showFound(words: string[]): void {
    showFound(this.#view, words);
  }

  openFind(): void {
    openSearchPanel(this.#view);
  }

  apply(format: Format): void {
    FORMATS[format](this.#view);
  }

  freeze(frozen: boolean): void {
    this.#view.dispatch({ effects: this.#frozen.reconfigure(EditorState.readOnly.of(frozen)) });
  }

  focus(): void {
    this.#view.focus();
  }

  destroy(): void {
    this.#view.destroy();
  }

  #inside(text: string): string {
    return text.replace(/\r\n?/g, "\n");
  }

  #outside(state: EditorState): string {
    const text = state.doc.toString();
    return this.#lineEnd === "\n" ? text : text.replaceAll("\n", this.#lineEnd);
  }
}

/** CRLF if all lines end so; a text with mixed line endings gets `\n` once it is edited. */
function lineEnd(text: string): "\n" | "\r\n" {
  return text.includes("\r\n") && !/(?<!\r)\n|\r(?!\n)/.test(text) ? "\r\n" : "\n";
}
