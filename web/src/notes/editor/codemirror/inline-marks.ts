/** Bold, italic and the like: toggles the marks around the selection, or around the word at the cursor. */

import { EditorSelection, type ChangeSpec, type EditorState, type StateCommand } from "@codemirror/state";

/**
 * Toggles `mark`, which repeats one character. In a run of that character, bold is two of them and italic is one:
 * `***both***` has both, so each can be taken off without the other.
 */
export function toggleMark(mark: string): StateCommand {
  return ({ state, dispatch }) => {
    if (state.readOnly) return false;
    const character = mark.charAt(0);
    const width = mark.length;
    const changes = state.changeByRange((range) => {
      if (range.empty && stands(state, range.head, mark)) {
        return { range: EditorSelection.cursor(range.head + width) }; // typing goes on behind what is marked
      }
      const { from, to } = trimmed(state, range.empty ? (state.wordAt(range.head) ?? range) : range);
      const outside = Math.min(runBefore(state, from, character), runAfter(state, to, character));
      const inside = Math.min(runAfter(state, from, character), runBefore(state, to, character));
      const moved = (by: number) =>
        range.empty
          ? EditorSelection.cursor(range.head + by)
          : EditorSelection.range(
              range.anchor <= range.head ? from + by : to + by,
              range.anchor <= range.head ? to + by : from + by,
            );
      if (isMarked(outside, width)) {
        const taken: ChangeSpec[] = [
          { from: from - width, to: from },
          { from: to, to: to + width },
        ];
        return { changes: taken, range: moved(-width) };
      }
      if (to - from > 2 * width && isMarked(inside, width)) {
        const taken: ChangeSpec[] = [
          { from, to: from + width },
          { from: to - width, to },
        ];
        return { changes: taken, range: EditorSelection.range(from, to - 2 * width) };
      }
      const added: ChangeSpec[] = [
        { from, insert: mark },
        { from: to, insert: mark },
      ];
      return { changes: added, range: moved(width) };
    });
    dispatch(state.update(changes, { userEvent: "input", scrollIntoView: true }));
    return true;
  };
}

/** Whether a run of `length` equal characters on both sides includes the mark that has `width` of them. */
function isMarked(length: number, width: number): boolean {
  return width === 1 ? length === 1 || length === 3 : length >= width;
}

/** Whether the cursor stands directly before a closing mark, behind text that is marked. */
function stands(state: EditorState, at: number, mark: string): boolean {
  const line = state.doc.lineAt(at);
  const before = line.text.slice(0, at - line.from);
  return (
    runAfter(state, at, mark.charAt(0)) === mark.length &&
    /\S$/.test(before) &&
    !before.endsWith(mark) &&
    before.includes(mark)
  );
}

/** White space at the ends of a selection stays outside the marks: inside, they would not count as marks. */
function trimmed(state: EditorState, range: { from: number; to: number }): { from: number; to: number } {
  const text = state.sliceDoc(range.from, range.to);
  if (text.trim() === "") return range;
  return {
    from: range.from + text.length - text.trimStart().length,
    to: range.to - (text.length - text.trimEnd().length),
  };
}

const LONGEST_RUN = 4;

function runBefore(state: EditorState, at: number, character: string): number {
  const text = state.sliceDoc(Math.max(0, at - LONGEST_RUN), at);
  let length = 0;
  while (length < text.length && text.at(-1 - length) === character) length += 1;
  return length;
}

function runAfter(state: EditorState, at: number, character: string): number {
  const text = state.sliceDoc(at, at + LONGEST_RUN);
  let length = 0;
  while (length < text.length && text[length] === character) length += 1;
  return length;
}
