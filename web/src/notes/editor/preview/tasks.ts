/** The tasks in a text, `- [ ] like this`, and where their boxes stand in it. */

import type { Token, Tokens } from "marked";

import { notes } from "../../../markdown/note-dialect.ts";

export interface Task {
  /** Where the character between the brackets is. */
  at: number;
  done: boolean;
}

/** A line that may begin a task. Whether it does, or stands in code, the Markdown's reader knows. */
const CANDIDATE =
  /^(?:[ \t>]|[-*+][ \t]|\d{1,9}[.)][ \t])*(?:[-*+]|\d{1,9}[.)])[ \t]+\[([ xX])\](?=[ \t]+\S)/gm;

/** In the order of the text; null where it cannot be told for sure which box stands where. */
export function tasksOf(text: string): Task[] | null {
  const lines = [...text.matchAll(CANDIDATE)].map((found) => ({
    at: found.index + found[0].length - 2,
    done: found[1] !== " ",
  }));
  const meant = read(notes.lex(text.replace(/\r\n?/g, "\n")));
  if (meant.length !== lines.length) return null;
  const tasks = lines.filter((_, index) => meant[index] !== null);
  const states = meant.filter((done) => done !== null);
  return tasks.every(({ done }, index) => done === states[index]) ? tasks : null;
}

/** The text with the box of its `index`th task as `done` says. */
export function ticked(text: string, index: number, done: boolean): string {
  const task = tasksOf(text)?.[index];
  if (!task || task.done === done) return text;
  return text.slice(0, task.at) + (done ? "x" : " ") + text.slice(task.at + 1);
}

/** For each candidate whether its box is ticked; null for those that are no tasks. */
function read(tokens: Token[]): (boolean | null)[] {
  return tokens.flatMap((token) => {
    if (token.type === "list") return (token as Tokens.List).items.flatMap(readItem);
    if (token.type === "blockquote") return read((token as Tokens.Blockquote).tokens);
    return others(token.raw);
  });
}

function readItem(item: Tokens.ListItem): (boolean | null)[] {
  const inside = read(item.tokens);
  if (item.task) return [item.checked === true, ...inside];
  const beginsWithList = item.tokens[0]?.type === "list";
  return beginsWithList ? inside : [...others(item.raw.split("\n", 1)[0] ?? ""), ...inside];
}

const others = (raw: string) => [...raw.matchAll(CANDIDATE)].map(() => null);
