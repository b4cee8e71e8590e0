/** Opens the note that a wiki link names, or offers to create it. */

import { explain } from "../../api/http.ts";
import type { Toasts } from "../../ui/toasts.svelte.ts";
import type { Editor } from "../editor.svelte.ts";
import type { NoteNavigation } from "../navigation.ts";
import { noteName } from "../../markdown/wiki-link.ts";
import type { Titles } from "./titles.svelte.ts";

export interface LinkTarget {
  navigation: NoteNavigation;
  editor: Editor;
  toasts: Toasts;
}

export async function openWikiLink(
  title: string,
  titles: Titles,
  { navigation, editor, toasts }: LinkTarget,
): Promise<void> {
  try {
    const id = await titles.find(title);
    if (id) return navigation.open(id);
  } catch (error) {
    return toasts.fail(explain(error));
  }
  const name = noteName(title);
  toasts.say(`There is no note called “${name}” yet.`, {
    label: "Create it",
    run: () => void editor.write({ title: name }),
  });
}
