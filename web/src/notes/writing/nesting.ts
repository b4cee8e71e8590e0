/** List items moved in and out with all that belongs to them, as Tab and Shift-Tab do. */

import { syntaxTree } from "@codemirror/language";
import type { ChangeSpec, EditorState, StateCommand } from "@codemirror/state";

type SyntaxNode = ReturnType<typeof syntaxTree>["topNode"];

/** The item that begins in the line of `position`. */
function itemAt(state: EditorState, position: number): SyntaxNode | null {
  const line = state.doc.lineAt(position);
  const text = line.from + (/\S/.exec(line.text)?.index ?? 0);
  let node: SyntaxNode | null = syntaxTree(state).resolveInner(text, 1);
  while (node && node.name !== "ListItem") node = node.parent;
  return node && node.from >= line.from ? node : null;
}

const column = (state: EditorState, { from }: SyntaxNode) => from - state.doc.lineAt(from).from;

/** How far in the text of an item begins, behind its mark. */
function inside(state: EditorState, item: SyntaxNode): number {
  const mark = item.getChild("ListMark");
  return column(state, item) + (mark ? mark.to - mark.from : 1) + 1;
}

/** By how many columns the selected items move; none where there is nothing to move into or out of. */
function move(state: EditorState, item: SyntaxNode, inwards: boolean): number {
  if (inwards) {
    const before = item.prevSibling;
    return before?.name === "ListItem" ? inside(state, before) - column(state, item) : 0;
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
    const { from, to } = state.selection.main;
    const [first, last] = [itemAt(state, from), itemAt(state, to)];
    if (!first || state.readOnly) return false;
    const by = move(state, first, inwards);
    if (by === 0) return inwards; // Tab in a list stays in it, Shift-Tab leads back
    const end = state.doc.lineAt(Math.max(first.to, last?.to ?? to, to)).number;
    const changes = renumber(state, first, inwards);
    for (let number = state.doc.lineAt(first.from).number; number <= end; number++) {
      const line = state.doc.line(number);
      const blank = /^ */.exec(line.text)?.[0].length ?? 0;
      if (line.length === 0) continue;
      if (by > 0) changes.push({ from: line.from, insert: " ".repeat(by) });
      else changes.push({ from: line.from, to: line.from + Math.min(-by, blank) });
    }
    dispatch(state.update({ changes, userEvent: "input.indent", scrollIntoView: true }));
    return true;
  };
}

export const nest = moves(true);
export const unnest = moves(false);
