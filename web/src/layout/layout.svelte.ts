/** Which panes are open and how wide they are; stored in the browser. */

import { createContext } from "svelte";
import { MediaQuery } from "svelte/reactivity";
import { innerWidth } from "svelte/reactivity/window";

import { storedValue } from "../lib/browser-storage.ts";
import type { Pane, Route } from "./route.svelte.ts";

const store = storedValue("layout", "{}");

interface Saved {
  notesWidth: number;
  chatWidth: number;
  logHeight: number;
  notesOpen: boolean;
  chatOpen: boolean;
  logOpen: boolean;
}

const DEFAULTS: Saved = {
  notesWidth: 290,
  chatWidth: 410,
  logHeight: 240,
  notesOpen: true,
  chatOpen: true,
  logOpen: false,
};

function saved(): Saved {
  try {
    return { ...DEFAULTS, ...(JSON.parse(store.read()) as Partial<Saved>) };
  } catch {
    return DEFAULTS;
  }
}

type Range = [least: number, most: number];
const NOTES_WIDTH: Range = [200, 480];
const CHAT_WIDTH: Range = [300, 760];
/** Minimum width of the note, for which the other two panes shrink; and the width of the rail and the dividers. */
const NOTE_LEAST = 560;
const RAIL = 50;
export const logHeight = (): Range => [100, Math.max(140, innerHeight - 240)];

const between = (value: number, least: number, most: number) =>
  Math.round(Math.min(most, Math.max(least, value)));

export class Layout {
  notesWidth = $state(DEFAULTS.notesWidth);
  chatWidth = $state(DEFAULTS.chatWidth);
  logHeight = $state(DEFAULTS.logHeight);
  notesOpen = $state(true);
  logOpen = $state(false);
  /** The open dialog. */
  dialog = $state<"settings" | "keys" | "palette" | "files" | null>(null);
  #chatOpen = $state(true);
  /** The assistant over the note, where there is no room beside it. It starts closed. */
  #sheetOpen = $state(false);
  readonly #phone = new MediaQuery("max-width: 899px");
  readonly #narrow = new MediaQuery("max-width: 1199px");
  readonly #route: Route;

  constructor(route: Route) {
    this.#route = route;
    const { chatOpen, ...others } = saved();
    this.#chatOpen = chatOpen;
    Object.assign(this, others);
  }

  get phone(): boolean {
    return this.#phone.current;
  }

  /** The assistant stands over the note, not beside it: there is no room for both. */
  get sheet(): boolean {
    return this.#narrow.current && !this.phone && this.#route.view === "all";
  }

  get chatOpen(): boolean {
    return this.sheet ? this.#sheetOpen : this.#chatOpen;
  }

  set chatOpen(open: boolean) {
    if (this.sheet) this.#sheetOpen = open;
    else this.#chatOpen = open;
  }

  /** The pane that a phone shows. */
  get pane(): Pane {
    return this.#route.pane;
  }

  set pane(pane: Pane) {
    if (this.phone) this.#route.showPane(pane);
    else this.#route.pane = pane;
  }

  /** The widths of the two side panes in this window: narrower than chosen if the note needs the room. */
  readonly shown = $derived.by(() => {
    const notes = this.notesOpen ? this.notesWidth : 0;
    const chat = this.#hasChat ? this.chatWidth : 0;
    const part = Math.min(1, this.#room / Math.max(1, notes + chat));
    return {
      notes: Math.max(NOTES_WIDTH[0], Math.round(this.notesWidth * part)),
      chat: Math.max(CHAT_WIDTH[0], Math.round(this.chatWidth * part)),
    };
  });

  get notesRange(): Range {
    const most = this.#room - (this.#hasChat ? CHAT_WIDTH[0] : 0);
    return [NOTES_WIDTH[0], between(most, ...NOTES_WIDTH)];
  }

  get chatRange(): Range {
    const most = this.#room - (this.notesOpen ? NOTES_WIDTH[0] : 0);
    return [CHAT_WIDTH[0], between(most, ...CHAT_WIDTH)];
  }

  /** The assistant gives room where there is no other; the width it is then shown with becomes the chosen one. */
  resizeNotes(width: number): void {
    const notes = between(width, ...this.notesRange);
    if (this.#hasChat) this.chatWidth = between(this.shown.chat, CHAT_WIDTH[0], this.#room - notes);
    this.notesWidth = notes;
    this.#save();
  }

  /** As `resizeNotes`: the list gives room. */
  resizeChat(width: number): void {
    const chat = between(width, ...this.chatRange);
    if (this.notesOpen) this.notesWidth = between(this.shown.notes, NOTES_WIDTH[0], this.#room - chat);
    this.chatWidth = chat;
    this.#save();
  }

  get #hasChat(): boolean {
    return this.chatOpen && this.#route.view === "all" && !this.sheet;
  }

  get #room(): number {
    return (innerWidth.current ?? 1440) - RAIL - NOTE_LEAST;
  }

  resizeLog(height: number): void {
    this.logHeight = between(height, ...logHeight());
    this.#save();
  }

  toggle(pane: "notesOpen" | "chatOpen" | "logOpen"): void {
    this[pane] = !this[pane];
    this.#save();
  }

  #save(): void {
    const { notesWidth, chatWidth, logHeight, notesOpen, logOpen } = this;
    const chatOpen = this.#chatOpen;
    store.write(
      JSON.stringify({ notesWidth, chatWidth, logHeight, notesOpen, chatOpen, logOpen } satisfies Saved),
    );
  }
}

/** The panes of this page. */
export const [getLayout, setLayout] = createContext<Layout>();
