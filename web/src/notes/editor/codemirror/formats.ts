/** What the formatting bar does. */

import { redo, undo } from "@codemirror/commands";
import type { StateCommand } from "@codemirror/state";

import { toggleMark } from "./inline-marks.ts";
import { setHeading, toggleList } from "./line-marks.ts";

/** Begins a link to a note; typing goes on with its title, which is completed. */
const beginWikiLink: StateCommand = ({ state, dispatch }) => {
  if (state.readOnly) return false;
  dispatch(state.update(state.replaceSelection("[["), { userEvent: "input.type", scrollIntoView: true }));
  return true;
};

export const FORMATS = {
  undo,
  redo,
  heading: setHeading(2),
  bold: toggleMark("**"),
  italic: toggleMark("*"),
  tasks: toggleList("tasks"),
  bullets: toggleList("bullets"),
  code: toggleMark("`"),
  wikiLink: beginWikiLink,
} satisfies Record<string, StateCommand>;

export type Format = keyof typeof FORMATS;
