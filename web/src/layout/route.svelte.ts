/**
 * The route: the view, the open note and the open conversation are in the URL, so that a reload restores them; the pane
 * that a phone shows and the shelf are in the history state. Each of them that the user changes is a step of its own for
 * the back button.
 */

import { createContext } from "svelte";

import type { Id } from "../api/types.ts";
import { asShelf, isSameShelf, type Shelf } from "./shelf.ts";

export type View = "all" | "notes" | "note" | "chat";
export type Pane = "notes" | "note" | "chat";

interface Found {
  view: View;
  note: Id | null;
  chat: Id | null;
  /** A path at which there is nothing, as it stands in the address; null if there is something. */
  unknown: string | null;
}

interface State {
  pane: Pane;
  shelf: Shelf | null;
}

const readState = () => history.state as Partial<State> | null;

function read(location: Location): Found {
  const query = new URLSearchParams(location.search);
  const [, first, second, ...more] = location.pathname.replace(/\/$/, "").split("/");
  const note = query.get("note");
  const chat = query.get("chat");
  if (first === "notes" && second && more.length === 0)
    return { view: "note", note: second, chat, unknown: null };
  const view = { chat: "chat", notes: "notes", "": "all" } as const;
  const found =
    first === undefined ? "all" : second === undefined ? view[first as keyof typeof view] : undefined;
  return { view: found ?? "all", note, chat, unknown: found ? null : location.pathname };
}

export class Route {
  view = $state<View>("all");
  note = $state<Id | null>(null);
  chat = $state<Id | null>(null);
  unknown = $state<string | null>(null);
  pane = $state<Pane>("notes");
  /** Null at an address that was just opened. */
  shelf: Shelf | null = null;
  /** A history entry was pushed in this microtask; further changes in it replace that entry. */
  #stepped = false;

  constructor() {
    this.reread();
  }

  /** Reads the URL again after the browser's back or forward. */
  reread(): void {
    Object.assign(this, read(location));
    const state = readState();
    this.pane = state?.pane ?? (this.note ? "note" : "notes");
    this.shelf = state?.shelf ? asShelf(state.shelf) : null;
  }

  showPane(pane: Pane): void {
    if (pane === this.pane) return;
    this.pane = pane;
    this.#write(true);
  }

  showNote(id: Id | null): void {
    if (id === this.note) return;
    this.note = id;
    this.#write(true);
  }

  /** `isStep`: the back button leads to the conversation before. */
  showChat(id: Id | null, isStep: boolean): void {
    if (id === this.chat) return;
    this.chat = id;
    this.#write(isStep);
  }

  showShelf(shelf: Shelf): void {
    const before = this.shelf;
    if (before && isSameShelf(before, shelf)) return;
    this.shelf = shelf;
    this.#write(before !== null);
  }

  /** Shows the note of an earlier visit, at an address that names none. */
  resume(note: Id): void {
    this.note = note;
    this.#write(false);
  }

  #write(asNewEntry: boolean): void {
    const url = this.address(this.note, this.chat);
    const state: State = { pane: this.pane, shelf: this.shelf && { ...this.shelf } };
    if (!asNewEntry || this.#stepped) return history.replaceState(state, "", url);
    history.pushState(state, "", url);
    this.#stepped = true;
    queueMicrotask(() => (this.#stepped = false));
  }

  /** The URL of a link to a note: in this view, or in a window of its own if this window shows only a conversation. */
  noteAddress(id: Id): string {
    return this.view === "chat" ? `/notes/${id}` : this.address(id, null);
  }

  /** The URL of a note or a conversation in this view. */
  address(note: Id | null, chat: Id | null): string {
    const query = new URLSearchParams();
    if (note && this.view !== "note") query.set("note", note);
    if (chat) query.set("chat", chat);
    const path = { all: "/", notes: "/notes", chat: "/chat", note: note ? `/notes/${note}` : "/notes" }[
      this.view
    ];
    return query.size ? `${path}?${query}` : path;
  }
}

/** The route of this page. */
export const [getRoute, setRoute] = createContext<Route>();
