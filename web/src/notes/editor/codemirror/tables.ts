/** Tables: shown as tables while no caret is in them, and written with Tab as in a spreadsheet. */

import { syntaxTree } from "@codemirror/language";
import {
  StateField,
  type EditorState,
  type Extension,
  type Range,
  type StateCommand,
} from "@codemirror/state";
import { Decoration, EditorView, keymap, WidgetType, type DecorationSet } from "@codemirror/view";

import { notes } from "../../../markdown/note-dialect.ts";
import { offerPicture } from "../preview/pictures.ts";
import { caretLinesOf, hasCaretLine } from "./caret-lines.ts";
import { foundMarksOf, foundOverlaps } from "./found-words.ts";
import { aligned, cellsOf, isDelimiter } from "./table-cells.ts";

/** Larger ones stay source: a table is laid out as a whole. */
const MAX_CHARACTERS = 20_000;
const ROW_PX = 37;

class Table extends WidgetType {
  constructor(
    readonly source: string,
    readonly toNote: (title: string) => void,
  ) {
    super();
  }
  override eq(other: Table) {
    return other.source === this.source;
  }
  override get estimatedHeight() {
    return (this.source.split("\n").length - 1) * ROW_PX;
  }
  override toDOM(view: EditorView) {
    const place = document.createElement("div");
    place.className = "cm-table prose";
    place.dir = "auto";
    place.innerHTML = notes.render(notes.lex(this.source)); // sanitised
    const wanted = new Set<string>();
    for (const link of place.querySelectorAll<HTMLAnchorElement>("a.image-link")) offerPicture(link, wanted);
    place.addEventListener("load", () => view.requestMeasure(), { capture: true });
    let touched = false;
    place.addEventListener("pointerdown", ({ pointerType }) => (touched = pointerType === "touch"));
    place.addEventListener("mousedown", (event) => {
      const target = event.target as Element;
      if (event.button !== 0 || target.closest("button")) return;
      event.preventDefault();
      if (!target.closest("a") || !(touched || event.ctrlKey || event.metaKey)) toCell(view, place, target);
    });
    place.addEventListener("click", (event) => {
      const link = (event.target as Element).closest("a");
      if (!link) return;
      const follows = touched || event.ctrlKey || event.metaKey;
      if (!follows || link.className === "wiki-link") event.preventDefault();
      if (follows && link.className === "wiki-link") this.toNote(link.title);
    });
    return place;
  }
  override ignoreEvent() {
    return true;
  }
}

/** Puts the caret at the end of the cell that was clicked. */
function toCell(view: EditorView, place: HTMLElement, target: Element): void {
  const { doc } = view.state;
  const first = doc.lineAt(view.posAtDOM(place)).number;
  const cell = target.closest<HTMLTableCellElement>("th, td");
  const row = cell ? [...place.querySelectorAll("tr")].indexOf(cell.closest("tr") as HTMLTableRowElement) : 0;
  const line = doc.line(Math.min(doc.lines, first + (row > 0 ? row + 1 : 0))); // behind the delimiter row
  const at = cellsOf(line.text)[cell?.cellIndex ?? 0]?.to ?? line.length;
  view.focus();
  view.dispatch({ selection: { anchor: line.from + at }, scrollIntoView: true });
}

function shownTables(toNote: (title: string) => void): Extension {
  const build = (state: EditorState): DecorationSet => {
    const found: Range<Decoration>[] = [];
    syntaxTree(state).iterate({
      enter({ name, from, to }) {
        if (name === "Document") return;
        if (name !== "Table" || to - from > MAX_CHARACTERS) return false;
        const [start, end] = [state.doc.lineAt(from).from, state.doc.lineAt(to).to];
        if (hasCaretLine(state, start, end) || foundOverlaps(state, start, end)) return false;
        const widget = new Table(state.sliceDoc(start, end), toNote);
        found.push(Decoration.replace({ widget, block: true }).range(start, end));
        return false;
      },
    });
    return Decoration.set(found);
  };
  return StateField.define<DecorationSet>({
    create: build,
    update(shown, { state, startState, docChanged }) {
      const changed =
        docChanged ||
        caretLinesOf(state) !== caretLinesOf(startState) ||
        foundMarksOf(state) !== foundMarksOf(startState) ||
        syntaxTree(state) !== syntaxTree(startState);
      return changed ? build(state) : shown;
    },
    provide: (field) => EditorView.decorations.from(field),
  });
}

/** The lines of the table around `position`, if it is not inside another block. */
function tableAt(state: EditorState, position: number): { first: number; last: number } | null {
  let node = syntaxTree(state).resolveInner(position, -1);
  if (node.name === "Document") node = syntaxTree(state).resolveInner(position, 1);
  while (node.parent && node.name !== "Table") node = node.parent;
  if (node.name !== "Table" || node.parent?.name !== "Document") return null;
  return { first: state.doc.lineAt(node.from).number, last: state.doc.lineAt(node.to).number };
}

/** Moves to the next or previous cell and aligns the table; behind the last cell there is a new row. */
function toNextCell(by: 1 | -1): StateCommand {
  return ({ state, dispatch }) => {
    const { head } = state.selection.main;
    const table = tableAt(state, head);
    if (!table || state.readOnly) return false;
    const { doc } = state;
    const [from, to] = [doc.line(table.first).from, doc.line(table.last).to];
    let rows = state.sliceDoc(from, to).split("\n");
    if (!isDelimiter(rows[1] ?? "")) return false;
    const line = doc.lineAt(head);
    let row = line.number - table.first;
    const cells = cellsOf(line.text);
    const index = cells.findIndex((cell) => head - line.from <= cell.to);
    let column = (index < 0 ? cells.length - 1 : index) + by;
    const columns = Math.max(1, cellsOf(rows[0] ?? "").length);
    if (column < 0 || column >= columns || row === 1) {
      row += by;
      if (row === 1) row += by; // never into the delimiter row
      column = by > 0 ? 0 : columns - 1;
    }
    if (row < 0) return true;
    if (row === rows.length) rows.push(`|${" |".repeat(columns)}`);
    if (to - from <= MAX_CHARACTERS) rows = aligned(rows);
    const target = cellsOf(rows[row] ?? "")[column];
    const start = from + rows.slice(0, row).join("\n").length + (row > 0 ? 1 : 0);
    const insert = rows.join("\n");
    dispatch(
      state.update({
        ...(insert === state.sliceDoc(from, to) ? {} : { changes: { from, to, insert } }),
        selection: { anchor: start + (target?.from ?? 0), head: start + (target?.to ?? 0) },
        userEvent: "input.table",
        scrollIntoView: true,
      }),
    );
    return true;
  };
}

export const nextCell = toNextCell(1);
export const previousCell = toNextCell(-1);

const theme = EditorView.theme({
  ".cm-table": { padding: "0.4em 0", whiteSpace: "normal", cursor: "text" },
  ".cm-table a": { color: "var(--accent)" },
  ".cm-table table": { margin: "0" },
});

/** `toNote` opens the note with a title. */
export const tables = (toNote: (title: string) => void): Extension => [
  keymap.of([{ key: "Tab", run: nextCell, shift: previousCell }]),
  shownTables(toNote),
  theme,
];
