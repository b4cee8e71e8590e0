/** How a list's item came where it is: in a list of mixed indentation it can only go back by the same steps. */

import {
  Annotation,
  StateField,
  type ChangeSet,
  type EditorState,
  type Transaction,
} from "@codemirror/state";

interface Step {
  inwards: boolean;
  /** What undoes it. */
  back: ChangeSet;
}

/** Whether a transaction is a step to the inside, and whether it takes one back. */
const step = Annotation.define<{ inwards: boolean; back: boolean }>();

/** All of them go the same way. Forgotten when the text is changed otherwise, or the cursor goes to another line. */
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

/** Takes back the last step, if it went the other way. */
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
