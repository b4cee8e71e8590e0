/** The user's tags with the number of notes of each, as the server counts them. */

import { createContext } from "svelte";

import { notes as calls } from "../../api/calls.ts";
import { explain } from "../../api/http.ts";
import type { CountedTag } from "../../api/types.ts";
import type { NotesView } from "./notes.svelte.ts";

export interface TagRow extends CountedTag {
  /** Its last part: `letters` of `work/letters`. */
  name: string;
  /** In how many tags it is nested. */
  depth: number;
}

/** More rows are found by typing, and are not rendered. */
const ROWS_MAX = 300;
const SUGGESTED_MAX = 30;

export class Tags {
  counted = $state.raw<CountedTag[] | null>(null);
  isComplete = $state(true);
  error = $state<string | null>(null);
  #view: NotesView | null = null;
  #loads = 0;

  /** Shows the last counts until the new ones are there. If the server cannot be reached, they stay. */
  async load(view: NotesView): Promise<void> {
    const load = ++this.#loads;
    if (view !== this.#view) this.counted = null;
    this.#view = view;
    try {
      const found = await calls.tags({ archived: view === "archive", trashed: view === "trash" });
      if (load !== this.#loads) return;
      this.counted = found.tags;
      this.isComplete = found.is_complete;
      this.error = null;
    } catch (error) {
      if (load === this.#loads) this.error = explain(error);
    }
  }

  /** The tags that contain what was typed, and those that they are nested in, each after the one that it is in. */
  matching(typed: string): TagRow[] {
    const wanted = folded(typed.trim().replace(/^#/, ""));
    const all = this.counted ?? [];
    const found = all.filter(({ tag }) => folded(tag).includes(wanted));
    const shown = new Set(found.flatMap(({ tag }) => [tag, ...ancestors(tag)]));
    return all
      .filter(({ tag }) => shown.has(tag))
      .map((one) => ({ ...one, ...placeOf(one.tag) }))
      .sort((a, b) => comparePaths(a.tag, b.tag));
  }

  /** To complete what was typed: tags that begin with it, then those of which a part does; the most used first. */
  suggested(typed: string, without: readonly string[]): string[] {
    const wanted = folded(typed.trim().replace(/^#/, ""));
    const others = (this.counted ?? []).filter(({ tag }) => !without.includes(tag));
    const begun = (tag: string) => folded(tag).startsWith(wanted);
    const found = others.filter(({ tag }) => begun(tag) || tag.split("/").some(begun));
    found.sort((a, b) => Number(begun(b.tag)) - Number(begun(a.tag)) || b.count - a.count);
    return found.slice(0, SUGGESTED_MAX).map(({ tag }) => tag);
  }
}

/** At most `ROWS_MAX` of the rows: of too many the least nested, so that the tags that others are in can be reached. */
export function rendered(rows: TagRow[]): TagRow[] {
  const depths = Math.max(0, ...rows.map(({ depth }) => depth));
  let shown = rows;
  for (let depth = depths; shown.length > ROWS_MAX && depth > 0; depth--)
    shown = shown.filter((row) => row.depth < depth);
  return shown.slice(0, ROWS_MAX);
}

const folded = (text: string) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

function ancestors(tag: string): string[] {
  const parts = tag.split("/");
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join("/"));
}

function placeOf(tag: string): { name: string; depth: number } {
  const above = ancestors(tag).filter((one) => one !== "");
  const nearest = above.at(-1);
  return { name: nearest === undefined ? tag : tag.slice(nearest.length + 1), depth: above.length };
}

/** Part by part, so that `work/letters` comes right after `work`, and `work-shop` after both. */
function comparePaths(one: string, other: string): number {
  const [left, right] = [one.split("/"), other.split("/")];
  for (let at = 0; at < Math.min(left.length, right.length); at++) {
    const [a = "", b = ""] = [left[at], right[at]];
    const order = a.localeCompare(b) || (a < b ? -1 : a > b ? 1 : 0);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

/** The tags of this page's user. */
export const [getTags, setTags] = createContext<Tags>();
