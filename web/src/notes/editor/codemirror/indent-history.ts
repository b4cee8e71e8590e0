/**
 * History of indentation steps: in a list with mixed indentation, an item can be moved back to where it was only by
 * reverting the same steps.
 */

import {
  Annotation,
  StateField,
  type ChangeSet,
  type EditorState,
  type Transaction,
} from "@codemirror/state";

interface Step {
  inwards: boolean;
  /** The changes that revert it. */
  back: ChangeSet;
}

/** Marks a transaction as a step: its direction, and whether it reverts the last one. */
const step = Annotation.define<{ inwards: boolean; back: boolean }>();

/** Steps of the same direction. Cleared when the text is changed otherwise or the cursor moves to another line. */
export const indentHistory = StateField.define<readonly Step[]>({
  create: () => [],
  update(steps, transaction) {
    const { startState, changes } = transaction;
    const made = transaction.annotation(step);
    if (made?.back) return steps.slice(0, -1);
    if (made) return [...steps, { inwards: made.inwards, back: changes.invert(startState.doc) }];
    return transaction.docChanged || lines(startState) !== lines(transaction.state) ? [] : steps;
  },
});

const lines = ({ doc, selection: { main } }: EditorState) =>
  `${doc.lineAt(main.from).number} ${doc.lineAt(main.to).number}`;

/** Reverts the last step, if it went in the opposite direction. */
export function undoIndent(state: EditorState, inwards: boolean): Transaction | null {
  const last = state.field(indentHistory).at(-1);
  return last && last.inwards !== inwards ? indentStep(state, last.back, inwards, true) : null;
}

export function indentStep(
  state: EditorState,
  changes: ChangeSet,
  inwards: boolean,
  back = false,
): Transaction {
  const annotations = step.of({ inwards, back });
  return state.update({ changes, annotations, userEvent: "input.indent", scrollIntoView: true });
}
