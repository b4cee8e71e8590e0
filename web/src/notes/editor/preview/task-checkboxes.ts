/** Checkboxes of tasks in a preview: toggling one changes the note's text. */

import { tasksOf } from "./tasks.ts";

export class TaskCheckboxes {
  #page: HTMLElement;
  /** Index of the checkbox to focus after its block is rendered again. */
  #focused: number | null = null;

  constructor(page: HTMLElement, tick: (index: number, done: boolean) => void) {
    this.#page = page;
    page.addEventListener("change", ({ target }) => {
      const box = target as HTMLInputElement;
      const index = this.#all().indexOf(box);
      if (index < 0) return;
      box.focus({ preventScroll: true }); // Safari does not focus a clicked checkbox
      this.#focused = index;
      tick(index, box.checked);
    });
  }

  /** Focuses this checkbox again if its block is rendered again. */
  keepFocus(index: number): void {
    this.#focused = index;
  }

  /** Enables the checkboxes if each of them can be mapped to a task in `text`. */
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

/** The task's text, without nested lists and code. */
function nameOf(box: HTMLInputElement): string {
  const item = box.closest("li")?.cloneNode(true) as HTMLElement | undefined;
  for (const below of item?.querySelectorAll("ul, ol, pre") ?? []) below.remove();
  return item?.textContent?.trim() || "Task";
}
