/** Finds the tasks in a text, `- [ ] like this`, with the positions of their checkboxes. */

import type { Token, Tokens } from "marked";

import { notes } from "../../../markdown/note-dialect.ts";

export interface Task {
  /** Offset of the character between the brackets. */
  at: number;
  done: boolean;
}

/** A line that may begin a task. The Markdown parser decides whether it does, or is part of code. */
const CANDIDATE =
  /^(?:[ \t>]|[-*+][ \t]|\d{1,9}[.)][ \t])*(?:[-*+]|\d{1,9}[.)])[ \t]+\[([ xX])\](?=[ \t]+\S)/gm;

/** The newest result: a preview asks again with each of its parts. */
let known: { text: string; tasks: Task[] | null } | null = null;

/** In the order of the text; null if the parsed tasks cannot be mapped to positions with certainty. */
export function tasksOf(text: string): Task[] | null {
  if (known?.text !== text) known = { text, tasks: find(text) };
  return known.tasks;
}

function find(text: string): Task[] | null {
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

/** The text with its `index`th task set to `done`. */
export function ticked(text: string, index: number, done: boolean): string {
  const task = tasksOf(text)?.[index];
  if (!task || task.done === done) return text;
  return text.slice(0, task.at) + (done ? "x" : " ") + text.slice(task.at + 1);
}

/** For each candidate line whether its task is done; null for those that are no tasks. */
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
