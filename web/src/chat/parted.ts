/** A block in the page that grows by parts: each is the block again, with others of its rows, items or words. */

export class Parted {
  #page: HTMLElement;
  #shown: readonly string[] = [];
  #open = "";
  #openNodes: ChildNode[] = [];

  constructor(page: HTMLElement) {
    this.#page = page;
  }

  /** Both are sanitised HTML. `open` may be another one the next time; `parts` usually only become more. */
  show(parts: readonly string[], open: string): void {
    if (!this.#shown.every((part, place) => part === parts[place])) {
      this.#page.replaceChildren();
      this.#shown = [];
      this.#open = "";
      this.#openNodes = [];
    }
    let added = parts.slice(this.#shown.length);
    if (added.length === 0 && open === this.#open) return;
    if (this.#open && added[0] === this.#open) added = added.slice(1);
    else for (const node of this.#openNodes) node.remove();
    for (const part of added) this.#add(part);
    this.#shown = parts;
    this.#open = open;
    this.#openNodes = open ? this.#add(open) : [];
  }

  #add(html: string): ChildNode[] {
    const template = document.createElement("template");
    template.innerHTML = html;
    const part = template.content;
    const whole = this.#page.firstElementChild;
    const more = part.firstElementChild;
    if (!whole || !more || whole.tagName !== more.tagName) {
      const nodes = [...part.childNodes];
      this.#page.append(part);
      return nodes;
    }
    const nodes = [...inner(more).childNodes];
    inner(whole).append(...nodes);
    more.remove();
    const behind = part.textContent?.trim() || part.childElementCount ? [...part.childNodes] : [];
    this.#page.append(...behind);
    return [...nodes, ...behind];
  }
}

/** Where a block's parts are. */
function inner(block: Element): Element {
  return block.querySelector(":scope > tbody") ?? block;
}
