/** List items moved in and out with all that belongs to them, as Tab and Shift-Tab do. */

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

/** The item that begins in the line of `position`. */
function itemAt(state: EditorState, position: number): SyntaxNode | null {
  const line = state.doc.lineAt(position);
  const text = line.from + (/\S/.exec(line.text)?.index ?? 0);
  let node: SyntaxNode | null = syntaxTree(state).resolveInner(text, 1);
  while (node && node.name !== "ListItem") node = node.parent;
  return node && node.from >= line.from ? node : null;
}

/** So wide is a tab in Markdown, whatever it looks like. */
const TAB = 4;

const columnAt = (state: EditorState, position: number) =>
  countColumn(state.sliceDoc(state.doc.lineAt(position).from, position), TAB);

/** How far in its mark is. An item itself may begin in the blanks before it. */
const column = (state: EditorState, item: SyntaxNode) =>
  columnAt(state, item.getChild("ListMark")?.from ?? item.from);

/** How far in the text of an item begins: behind its mark and one blank, or up to four. */
function inside(state: EditorState, item: SyntaxNode): number {
  const end = item.getChild("ListMark")?.to ?? item.from;
  const blank = /^[ \t]+(?=\S)/.exec(state.sliceDoc(end, state.doc.lineAt(end).to))?.[0] ?? "";
  const [mark, text] = [columnAt(state, end), columnAt(state, end + blank.length)];
  return text > mark && text <= mark + TAB ? text : mark + 1;
}

const blankOf = (text: string) => /^[ \t]*/.exec(text)?.[0] ?? "";

/** Whether what stands before an item is of tabs: where nothing does yet, as elsewhere in its list. */
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

/** Moves a line, and leaves as it is what need not change. */
function shift(line: Line, by: number, tabs: boolean): ChangeSpec {
  const before = blankOf(line.text);
  const columns = Math.max(0, countColumn(before, TAB) + by);
  const after = blanks(columns, before ? before.includes("\t") : tabs);
  let same = 0;
  while (same < Math.min(before.length, after.length) && before.at(-1 - same) === after.at(-1 - same)) same++;
  const insert = after.slice(0, after.length - same);
  return { from: line.from, to: line.from + before.length - same, insert };
}

/** By how many columns the selected items move; none where there is nothing to move into or out of. */
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

/** The number an item gets where it goes, so that a list of its own begins with 1: else it would be mere text. */
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
    if (by === 0) return inwards; // Tab in a list stays in it, Shift-Tab leads back
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
