/** Which panes are open and how wide: the person's choice, remembered. */

import { MediaQuery } from "svelte/reactivity";

import { kept } from "./kept.ts";
import type { Pane, Place } from "./place.svelte.ts";

const store = kept("layout", "{}");

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
export const NOTES_WIDTH: Range = [200, 480];
export const CHAT_WIDTH: Range = [300, 760];
export const logHeight = (): Range => [100, Math.max(140, innerHeight - 240)];

const between = (value: number, least: number, most: number) =>
  Math.round(Math.min(most, Math.max(least, value)));

export class Layout {
  notesWidth = $state(DEFAULTS.notesWidth);
  chatWidth = $state(DEFAULTS.chatWidth);
  logHeight = $state(DEFAULTS.logHeight);
  notesOpen = $state(true);
  chatOpen = $state(true);
  logOpen = $state(false);
  /** What lies over the page right now. */
  dialog = $state<"settings" | "keys" | "palette" | "files" | null>(null);
  readonly #phone = new MediaQuery("max-width: 899px");
  readonly #place: Place;

  constructor(place: Place) {
    this.#place = place;
    Object.assign(this, saved());
  }

  get phone(): boolean {
    return this.#phone.current;
  }

  /** The pane that a phone shows. */
  get pane(): Pane {
    return this.#place.pane;
  }

  set pane(pane: Pane) {
    if (this.phone) this.#place.showPane(pane);
    else this.#place.pane = pane;
  }

  resizeNotes(width: number): void {
    this.notesWidth = between(width, ...NOTES_WIDTH);
    this.#keep();
  }

  resizeChat(width: number): void {
    this.chatWidth = between(width, ...CHAT_WIDTH);
    this.#keep();
  }

  resizeLog(height: number): void {
    this.logHeight = between(height, ...logHeight());
    this.#keep();
  }

  toggle(pane: "notesOpen" | "chatOpen" | "logOpen"): void {
    this[pane] = !this[pane];
    this.#keep();
  }

  #keep(): void {
    const { notesWidth, chatWidth, logHeight, notesOpen, chatOpen, logOpen } = this;
    store.write(
      JSON.stringify({ notesWidth, chatWidth, logHeight, notesOpen, chatOpen, logOpen } satisfies Saved),
    );
  }
}
