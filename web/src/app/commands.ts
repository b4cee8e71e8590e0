/** Commands that are available anywhere, in the palette and as keyboard shortcuts. */

import { tick } from "svelte";

import type { Workspace } from "./workspace.svelte.ts";
import type { IconName } from "../ui/icons.ts";
import type { View } from "../layout/route.svelte.ts";

export interface Command {
  label: string;
  icon: IconName;
  /** The keyboard shortcut, if there is one. */
  key?: string;
  run: () => void;
}

export function commands(workspace: Workspace, signOut: () => void): Command[] {
  const { layout, notes, chat, editor, search, settings, route } = workspace;
  const open = editor.current;
  const showView = (name: "notes" | "archive" | "trash") => () => {
    search.clear();
    layout.pane = "notes";
    if (!layout.phone && !layout.notesOpen) layout.toggle("notesOpen");
    void notes.show(name);
  };
  const found: Command[] = [];
  if (hasNotes(route.view)) {
    found.push(
      { label: "New note", icon: "edit", key: "N", run: () => workspace.navigation.startNew() },
      { label: "Search notes", icon: "search", key: "/", run: () => focusSearch(workspace) },
      { label: "All notes", icon: "note", run: showView("notes") },
      { label: "Archive", icon: "archive", run: showView("archive") },
      { label: "Trash", icon: "trash", run: showView("trash") },
    );
  }
  if (hasChat(route.view)) {
    found.push(
      { label: "Write to the assistant", icon: "chat", key: "M", run: () => focusMessage(workspace) },
      {
        label: "New conversation",
        icon: "plus",
        run: () => {
          chat.open(null);
          focusMessage(workspace);
        },
      },
    );
  }
  if (open && open.id && !open.gone) {
    const { pinned, archived } = open;
    found.push(
      {
        label: pinned ? "Unpin this note" : "Pin this note",
        icon: "pin",
        run: () => open.edit({ pinned: !pinned }),
      },
      {
        label: archived ? "Take this note out of the archive" : "Archive this note",
        icon: "archive",
        run: () => open.edit({ archived: !archived }),
      },
      { label: "Delete this note", icon: "trash", run: () => void workspace.trash.put(open) },
    );
  }
  if (route.view === "all" && !layout.phone) {
    found.push(
      {
        label: layout.notesOpen ? "Hide the list" : "Show the list",
        icon: "sidebar",
        run: () => layout.toggle("notesOpen"),
      },
      {
        label: layout.chatOpen ? "Hide the assistant" : "Show the assistant",
        icon: "sidebarRight",
        run: () => layout.toggle("chatOpen"),
      },
    );
  }
  found.push(
    {
      label: layout.logOpen ? "Hide the event log" : "Show the event log",
      icon: "pulse",
      run: () => layout.toggle("logOpen"),
    },
    { label: "Light theme", icon: "sun", run: () => void settings.change({ theme: "light" }) },
    { label: "Dark theme", icon: "moon", run: () => void settings.change({ theme: "dark" }) },
    { label: "System theme", icon: "auto", run: () => void settings.change({ theme: "system" }) },
    { label: "Import and export", icon: "files", run: () => (layout.dialog = "files") },
    { label: "Settings", icon: "sliders", run: () => (layout.dialog = "settings") },
    { label: "Keyboard shortcuts", icon: "keys", key: "?", run: () => (layout.dialog = "keys") },
    { label: "Sign out", icon: "out", run: signOut },
  );
  return found;
}

/** Handles keyboard shortcuts, which apply outside text fields. */
export function onKey(event: KeyboardEvent, workspace: Workspace): void {
  const { layout, route } = workspace;
  const mod = event.metaKey || event.ctrlKey;
  if (mod && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k" && !event.defaultPrevented) {
    event.preventDefault();
    layout.dialog = layout.dialog === "palette" ? null : "palette";
    return;
  }
  if (mod || event.altKey || layout.dialog || event.defaultPrevented || isTyping(event.target)) return;
  const run = {
    "?": () => (layout.dialog = "keys"),
    "/": hasNotes(route.view) && (() => focusSearch(workspace)),
    n: hasNotes(route.view) && (() => workspace.navigation.startNew()),
    m: hasChat(route.view) && (() => focusMessage(workspace)),
  }[event.key];
  if (!run) return;
  event.preventDefault();
  run();
}

const hasNotes = (view: View) => view === "all" || view === "notes";
const hasChat = (view: View) => view === "all" || view === "chat";

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    target.closest("input, textarea, select, [contenteditable], dialog") !== null
  );
}

function focusSearch({ layout }: Workspace): void {
  layout.pane = "notes";
  if (!layout.phone && !layout.notesOpen) layout.toggle("notesOpen");
  void focus("search-notes");
}

function focusMessage({ layout }: Workspace): void {
  layout.pane = "chat";
  if (!layout.phone && !layout.chatOpen) layout.toggle("chatOpen");
  void focus("message");
}

async function focus(id: string): Promise<void> {
  await tick();
  document.getElementById(id)?.focus();
}
