/** Going where a link between notes leads, or offering to make the note that it names. */

import { explain } from "../../api/http.ts";
import type { Workspace } from "../../app/workspace.svelte.ts";
import type { Titles } from "./titles.svelte.ts";

export async function openWikiLink(workspace: Workspace, titles: Titles, title: string): Promise<void> {
  try {
    const id = await titles.find(title);
    if (id) return workspace.openNote(id);
  } catch (error) {
    return workspace.toasts.fail(explain(error));
  }
  workspace.toasts.say(`There is no note called “${title}” yet.`, {
    label: "Create it",
    run: () => void workspace.editor.write({ title }),
  });
}
