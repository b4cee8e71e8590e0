/** The boxes of tasks in a preview, which can be ticked: a click or Space changes the text that they stand for. */

import { tasksOf } from "./tasks.ts";

export class TaskCheckboxes {
  #page: HTMLElement;
  /** The one that had the focus while its block was made anew. */
  #focused: number | null = null;

  constructor(page: HTMLElement, tick: (index: number, done: boolean) => void) {
    this.#page = page;
    page.addEventListener("change", ({ target }) => {
      const box = target as HTMLInputElement;
      const index = this.#all().indexOf(box);
      if (index < 0) return;
      box.focus({ preventScroll: true }); // Safari gives none to one that is clicked
      this.#focused = index;
      tick(index, box.checked);
    });
  }

  /** The focus goes to this one if its block is made anew. */
  keepFocus(index: number): void {
    this.#focused = index;
  }

  /** Boxes can be ticked where it is sure which of them stands for what in `text`. */
  dress(text: string, mayTick: boolean): void {
    const boxes = this.#all();
    const sure = mayTick && boxes.length > 0 && tasksOf(text)?.length === boxes.length;
    for (const box of boxes) {
      box.disabled = !sure;
      if (sure) box.setAttribute("aria-label", nameOf(box));
    }
    if (this.#focused === null) return;
    if (document.activeElement === document.body) boxes[this.#focused]?.focus({ preventScroll: true });
    this.#focused = null;
  }

  #all(): HTMLInputElement[] {
    return [...this.#page.querySelectorAll<HTMLInputElement>("input[type=checkbox]")];
  }
}

/** What is to be done, without what is below it. */
function nameOf(box: HTMLInputElement): string {
  const item = box.closest("li")?.cloneNode(true) as HTMLElement | undefined;
  for (const below of item?.querySelectorAll("ul, ol, pre") ?? []) below.remove();
  return item?.textContent?.trim() || "Task";
}
