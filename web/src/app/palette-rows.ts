/** The palette's rows: notes, conversations and commands. */

import type { Id, NoteSummary } from "../api/types.ts";
import type { Workspace } from "./workspace.svelte.ts";
import { matching } from "../lib/matching.ts";
import { commands } from "./commands.ts";
import type { IconName } from "../ui/icons.ts";

const FEW = 6;

export interface Row {
  key: string;
  /** Its section; the section's first row has a heading above it. */
  group: "Notes" | "Conversations" | "Commands";
  label: string;
  icon: IconName;
  hint: string;
  run: () => void;
}

/** `found`: the server's search results for `wanted`, which may include notes that are in the list already. */
export function rowsFor(
  wanted: string,
  workspace: Workspace,
  found: Pick<NoteSummary, "id" | "title">[],
  signOut: () => void,
): Row[] {
  const { notes, chat } = workspace;
  const listed = matching(notes.list, (note) => note.title, wanted).slice(0, FEW);
  const others = found.filter(({ id }) => !listed.some((one) => one.id === id)).slice(0, FEW);
  const talks = wanted ? matching(chat.conversations.list, (one) => one.title, wanted).slice(0, FEW) : [];
  const done = matching(commands(workspace, signOut), (command) => command.label, wanted);
  return [
    ...[...listed, ...others].map(({ id, title }): Row => ({
      key: id,
      group: "Notes",
      label: title,
      icon: "note",
      hint: "",
      run: () => workspace.navigation.open(id),
    })),
    ...talks.map(({ id, title }): Row => ({
      key: id,
      group: "Conversations",
      label: title,
      icon: "chat",
      hint: "",
      run: () => talk(workspace, id),
    })),
    ...done.map(({ label, icon, key, run }): Row => ({
      key: label,
      group: "Commands",
      label,
      icon,
      hint: key ?? "",
      run,
    })),
  ];
}

function talk({ chat, layout }: Workspace, conversation: Id): void {
  chat.open(conversation);
  layout.pane = "chat";
  if (!layout.phone && !layout.chatOpen) layout.toggle("chatOpen");
}
