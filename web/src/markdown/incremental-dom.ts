/** A block in the page that grows by parts: each is the block again, with others of its rows, items or words. */

export class IncrementalDom {
  #page: HTMLElement;
  #shown: readonly string[] = [];
  #open = "";
  /** Behind it stands what is open; without it, all is. Others may have dressed up what is shown. */
  #mark: Text | null = null;

  constructor(page: HTMLElement) {
    this.#page = page;
  }

  /** Both are sanitised HTML. `open` may be another one the next time; `parts` usually only become more. */
  show(parts: readonly string[], open: string): void {
    if (!this.#shown.every((part, place) => part === parts[place])) {
      this.#page.replaceChildren();
      this.#shown = [];
      this.#open = "";
      this.#mark = null;
    }
    let added = parts.slice(this.#shown.length);
    if (added.length === 0 && open === this.#open) return;
    if (this.#open && added[0] === this.#open) added = added.slice(1);
    else if (this.#open) this.#removeOpen();
    this.#mark?.remove();
    this.#mark = null;
    for (const part of added) this.#add(part);
    this.#shown = parts;
    this.#open = open;
    if (!open) return;
    const whole = this.#page.firstElementChild;
    if (whole) inner(whole).append((this.#mark = document.createTextNode("")));
    this.#add(open);
  }

  #removeOpen(): void {
    if (!this.#mark) return this.#page.replaceChildren();
    for (const before of [this.#mark, this.#page.firstElementChild])
      while (before?.nextSibling) before.nextSibling.remove();
  }

  #add(html: string): void {
    const template = document.createElement("template");
    template.innerHTML = html;
    const part = template.content;
    const whole = this.#page.firstElementChild;
    const more = part.firstElementChild;
    if (whole && more?.tagName === whole.tagName) {
      inner(whole).append(...inner(more).childNodes);
      more.remove();
    }
    this.#page.append(part);
  }
}

/** Where a block's parts are. */
function inner(block: Element): Element {
  return block.querySelector(":scope > tbody") ?? block;
}
