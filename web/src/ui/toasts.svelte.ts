/** Toasts: short messages about what happened, for a while, optionally with an action such as undo. */

import { createContext } from "svelte";

const SHOWN_MS = 6_000;
/** A toast with an action needs more time to be read, reached and pressed. */
const WITH_ACTION_MS = 12_000;

export interface Toast {
  key: number;
  text: string;
  tone: "plain" | "error";
  action: { label: string; run: () => void } | null;
  /** What it is about; null if nothing that has a later state. */
  about: object | null;
  /** Stays until its action is run or it is dismissed. */
  stays: boolean;
}

export class Toasts {
  shown = $state.raw<Toast[]>([]);
  #next = 0;
  #held = false;
  /** Toasts whose time ran out while they were held. */
  #over = new Set<number>();

  /** `about`: replaces what was said about the same, which is no longer true. */
  say(text: string, action: Toast["action"] = null, about: object | null = null): void {
    if (about) this.shown = this.shown.filter((toast) => toast.about !== about);
    this.#show({ key: ++this.#next, text, tone: "plain", action, about, stays: false });
  }

  /** A toast that stays until the user reacts. */
  offer(text: string, action: NonNullable<Toast["action"]>): void {
    this.#show({ key: ++this.#next, text, tone: "plain", action, about: null, stays: true });
  }

  fail(text: string): void {
    this.#show({ key: ++this.#next, text, tone: "error", action: null, about: null, stays: false });
  }

  /** While held (hovered or focused), no toast disappears. */
  hold(held: boolean): void {
    this.#held = held;
    if (held) return;
    for (const key of this.#over) this.dismiss(key);
    this.#over.clear();
  }

  dismiss(key: number): void {
    this.shown = this.shown.filter((toast) => toast.key !== key);
  }

  #show(toast: Toast): void {
    const others = this.shown.filter(({ text }) => text !== toast.text);
    const passing = others.filter(({ stays }) => !stays).slice(-2);
    this.shown = [...others.filter(({ stays }) => stays), ...passing, toast];
    if (toast.stays) return;
    setTimeout(() => this.#end(toast.key), toast.action ? WITH_ACTION_MS : SHOWN_MS);
  }

  #end(key: number): void {
    if (this.#held) this.#over.add(key);
    else this.dismiss(key);
  }
}

/** The toasts of the page. */
export const [getToasts, setToasts] = createContext<Toasts>();
