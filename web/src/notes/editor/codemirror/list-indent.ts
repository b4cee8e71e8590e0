/** Indents and outdents list items together with their nested content, for Tab and Shift-Tab. */

import { syntaxTree } from "@codemirror/language";
import {
  countColumn,
  type ChangeSpec,
  type EditorState,
  type Line,
  type StateCommand,
} from "@codemirror/state";

import { undoIndent, indentStep } from "./indent-history.ts";

type SyntaxNode = ReturnType<typeof syntaxTree>["topNode"];

/** The list item that begins in the line of `position`. */
function itemAt(state: EditorState, position: number): SyntaxNode | null {
  const line = state.doc.lineAt(position);
  const text = line.from + (/\S/.exec(line.text)?.index ?? 0);
  let node: SyntaxNode | null = syntaxTree(state).resolveInner(text, 1);
  while (node && node.name !== "ListItem") node = node.parent;
  return node && node.from >= line.from ? node : null;
}

/** The width of a tab in Markdown, in columns. */
const TAB = 4;

const columnAt = (state: EditorState, position: number) =>
  countColumn(state.sliceDoc(state.doc.lineAt(position).from, position), TAB);

/** The column of an item's marker. The item's node may begin in the whitespace before it. */
const column = (state: EditorState, item: SyntaxNode) =>
  columnAt(state, item.getChild("ListMark")?.from ?? item.from);

/** The column at which an item's text begins: after its marker and one to four spaces. */
function inside(state: EditorState, item: SyntaxNode): number {
  const end = item.getChild("ListMark")?.to ?? item.from;
  const blank = /^[ \t]+(?=\S)/.exec(state.sliceDoc(end, state.doc.lineAt(end).to))?.[0] ?? "";
  const [mark, text] = [columnAt(state, end), columnAt(state, end + blank.length)];
  return text > mark && text <= mark + TAB ? text : mark + 1;
}

const blankOf = (text: string) => /^[ \t]*/.exec(text)?.[0] ?? "";

/** Whether an item is indented by tabs; an item without indentation follows the rest of its list. */
function hasTabs(state: EditorState, item: SyntaxNode): boolean {
  const blank = blankOf(state.doc.lineAt(item.from).text);
  if (blank) return blank.includes("\t");
  let list = item;
  for (let node: SyntaxNode | null = item; node; node = node.parent)
    if (node.name.endsWith("List")) list = node;
  return /^\t/m.test(state.sliceDoc(list.from, list.to));
}

const blanks = (columns: number, tabs: boolean) =>
  tabs ? "\t".repeat(columns / TAB) + " ".repeat(columns % TAB) : " ".repeat(columns);

/** Changes a line's indentation by as few characters as possible. */
function shift(line: Line, by: number, tabs: boolean): ChangeSpec {
  const before = blankOf(line.text);
  const columns = Math.max(0, countColumn(before, TAB) + by);
  const after = blanks(columns, before ? before.includes("\t") : tabs);
  let same = 0;
  while (same < Math.min(before.length, after.length) && before.at(-1 - same) === after.at(-1 - same)) same++;
  const insert = after.slice(0, after.length - same);
  return { from: line.from, to: line.from + before.length - same, insert };
}

/** By how many columns the selected items move; 0 if there is no item to move into or out of. */
function move(state: EditorState, item: SyntaxNode, inwards: boolean, tabs: boolean): number {
  if (inwards) {
    const before = item.prevSibling;
    if (before?.name !== "ListItem") return 0;
    const start = inside(state, before);
    return (tabs ? Math.ceil(start / TAB) * TAB : start) - column(state, item);
  }
  const around = item.parent?.parent;
  return around?.name === "ListItem" ? column(state, around) - column(state, item) : 0;
}

/** Renumbers a moved item: a new nested list has to begin with 1, or it would not be parsed as a list. */
function renumber(state: EditorState, item: SyntaxNode, inwards: boolean): ChangeSpec[] {
  const number = numberOf(state, item);
  if (!number) return [];
  const list = item.prevSibling?.getChild("OrderedList");
  const before = inwards ? list?.lastChild : item.parent?.parent;
  const insert = String((before ? (numberOf(state, before)?.value ?? 0) : 0) + 1);
  return [{ from: number.from, to: number.to, insert }];
}

function numberOf(state: EditorState, item: SyntaxNode) {
  const mark = item.getChild("ListMark");
  const text = mark ? state.sliceDoc(mark.from, mark.to) : "";
  return mark && /^\d/.test(text) ? { from: mark.from, to: mark.to - 1, value: parseInt(text) } : null;
}

function moves(inwards: boolean): StateCommand {
  return ({ state, dispatch }) => {
    if (state.readOnly) return false;
    const back = undoIndent(state, inwards);
    if (back) {
      dispatch(back);
      return true;
    }
    const { from, to } = state.selection.main;
    const [first, last] = [itemAt(state, from), itemAt(state, to)];
    if (!first) return false;
    const tabs = hasTabs(state, first);
    const by = move(state, first, inwards, tabs);
    if (by === 0) return inwards; // handled for Tab, which must not leave the list; Shift-Tab moves the focus back
    const end = state.doc.lineAt(Math.max(first.to, last?.to ?? to, to)).number;
    const changes = renumber(state, first, inwards);
    for (let number = state.doc.lineAt(first.from).number; number <= end; number++) {
      const line = state.doc.line(number);
      if (line.length > 0) changes.push(shift(line, by, tabs));
    }
    dispatch(indentStep(state, state.changes(changes), inwards));
    return true;
  };
}

export const indentItem = moves(true);
export const outdentItem = moves(false);
