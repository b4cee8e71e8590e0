/** Short words from below: what happened, and for a while a way to take it back. */

const SHOWN_MS = 6_000;

export interface Toast {
  key: number;
  text: string;
  tone: "plain" | "error";
  action: { label: string; run: () => void } | null;
}

export class Toasts {
  shown = $state.raw<Toast[]>([]);
  #next = 0;

  say(text: string, action: Toast["action"] = null): void {
    this.#show({ key: ++this.#next, text, tone: "plain", action });
  }

  fail(text: string): void {
    this.#show({ key: ++this.#next, text, tone: "error", action: null });
  }

  dismiss(key: number): void {
    this.shown = this.shown.filter((toast) => toast.key !== key);
  }

  #show(toast: Toast): void {
    this.shown = [...this.shown.filter(({ text }) => text !== toast.text).slice(-2), toast];
    setTimeout(() => this.dismiss(toast.key), SHOWN_MS);
  }
}
