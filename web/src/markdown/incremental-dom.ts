/**
 * Updates a block in the document by appending. A block comes in parts: each part is the HTML of the whole block element
 * with only some of its rows, items or words; their contents are merged into one element.
 */

export class IncrementalDom {
  #page: HTMLElement;
  #shown: readonly string[] = [];
  #open = "";
  /** Empty text node before the open part; null if everything is open. A node, because others may modify the content. */
  #mark: Text | null = null;

  #dress: (part: ParentNode) => void;

  /** `dress` is called with each new part before it is inserted. */
  constructor(page: HTMLElement, dress: (part: ParentNode) => void = () => undefined) {
    this.#page = page;
    this.#dress = dress;
  }

  /** Both are sanitised HTML. `parts` are final and usually only appended to; `open` is replaced by the next call. */
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
    this.#dress(part);
    const whole = this.#page.firstElementChild;
    const more = part.firstElementChild;
    if (whole && more?.tagName === whole.tagName) {
      inner(whole).append(...inner(more).childNodes);
      more.remove();
    }
    this.#page.append(part);
  }
}

/** The element that contains a block's rows or items. */
function inner(block: Element): Element {
  return block.querySelector(":scope > tbody") ?? block;
}
