/** Find and replace in a note: a panel above the text, with the number of matches. Mod-F opens it. */

import {
  closeSearchPanel,
  findNext,
  findPrevious,
  getSearchQuery,
  replaceAll,
  replaceNext,
  search,
  searchKeymap,
  SearchQuery,
  setSearchQuery,
} from "@codemirror/search";
import type { Extension } from "@codemirror/state";
import {
  EditorView,
  keymap,
  runScopeHandlers,
  type Command,
  type Panel,
  type ViewUpdate,
} from "@codemirror/view";

/** More matches than this are not counted. */
const COUNTED = 1_000;

/** The shortcuts of CodeMirror's search without those that have another meaning here. */
const KEYS = searchKeymap.filter(
  ({ key }) => key && ["Mod-f", "F3", "Mod-g", "Escape", "Mod-d"].includes(key),
);

export const findInNote: Extension = [
  search({ top: true, createPanel: (view) => new FindPanel(view) }),
  keymap.of(KEYS),
];

class FindPanel implements Panel {
  readonly dom: HTMLElement;
  readonly top = true;
  readonly #find: HTMLInputElement;
  readonly #replace: HTMLInputElement;
  readonly #matchCase: HTMLInputElement;
  readonly #count: HTMLOutputElement;
  readonly #view: EditorView;

  constructor(view: EditorView) {
    this.#view = view;
    const query = getSearchQuery(view.state);
    this.#find = field("Find in this note", query.search);
    this.#find.setAttribute("main-field", "true");
    this.#replace = field("Replace with", query.replace);
    this.#matchCase = element("input", { type: "checkbox", name: "case" });
    this.#matchCase.checked = query.caseSensitive;
    this.#count = element("output", { className: "cm-find-count" });
    const changes = [button("Replace", view, replaceNext), button("Replace all", view, replaceAll)];
    this.dom = element("div", { className: "cm-find" }, [
      row([
        this.#find,
        this.#count,
        button("Previous", view, findPrevious, "↑"),
        button("Next", view, findNext, "↓"),
        button("Close", view, closeSearchPanel, "✕"),
      ]),
      row([
        this.#replace,
        ...changes,
        element("label", {}, [this.#matchCase, document.createTextNode("Match case")]),
      ]),
    ]);
    this.dom.setAttribute("role", "search");
    this.dom.setAttribute("aria-label", "Find in this note");
    this.dom.addEventListener("input", () => this.#search());
    this.dom.addEventListener("keydown", (event) => this.#key(event));
    for (const change of changes) change.disabled = view.state.readOnly;
    this.#show();
  }

  mount(): void {
    this.#find.select();
  }

  update(update: ViewUpdate): void {
    for (const transaction of update.transactions)
      for (const effect of transaction.effects)
        if (effect.is(setSearchQuery) && effect.value.search !== this.#find.value)
          this.#find.value = effect.value.search;
    if (update.docChanged || update.selectionSet || update.transactions.length > 0) this.#show();
  }

  #search(): void {
    const query = new SearchQuery({
      search: this.#find.value,
      replace: this.#replace.value,
      caseSensitive: this.#matchCase.checked,
      literal: true,
    });
    if (!query.eq(getSearchQuery(this.#view.state)))
      this.#view.dispatch({ effects: setSearchQuery.of(query) });
    this.#showFirst(query);
  }

  /** Shows the first match after the cursor while the words are typed; the focus stays in the field. */
  #showFirst(query: SearchQuery): void {
    if (!query.valid) return;
    const { state } = this.#view;
    const from = state.selection.main.from;
    const match = query.getCursor(state, from).next();
    const first = match.done ? query.getCursor(state).next() : match;
    if (first.done) return;
    const { from: anchor, to: head } = first.value;
    this.#view.dispatch({ selection: { anchor, head }, scrollIntoView: true });
  }

  #key(event: KeyboardEvent): void {
    if (runScopeHandlers(this.#view, event, "search-panel")) event.preventDefault();
    else if (event.key === "Enter" && event.target === this.#find) {
      event.preventDefault();
      (event.shiftKey ? findPrevious : findNext)(this.#view);
    } else if (event.key === "Enter" && event.target === this.#replace) {
      event.preventDefault();
      replaceNext(this.#view);
    }
  }

  /** Which match is selected, and of how many. */
  #show(): void {
    const query = getSearchQuery(this.#view.state);
    if (!query.search) {
      this.#count.value = "";
      return;
    }
    const { main } = this.#view.state.selection;
    let found = 0;
    let selected = 0;
    const cursor = query.getCursor(this.#view.state);
    for (let next = cursor.next(); !next.done && found <= COUNTED; next = cursor.next()) {
      found += 1;
      if (next.value.from === main.from && next.value.to === main.to) selected = found;
    }
    const all = found > COUNTED ? `${COUNTED}+` : String(found);
    this.#count.value = found === 0 ? "Not found" : selected ? `${selected} of ${all}` : all;
  }
}

function row(children: Node[]): HTMLElement {
  return element("div", { className: "cm-find-row" }, children);
}

function field(label: string, value: string): HTMLInputElement {
  const input = element("input", { className: "field", type: "text", placeholder: label, value });
  input.setAttribute("aria-label", label);
  input.autocomplete = "off";
  return input;
}

function button(label: string, view: EditorView, run: Command, sign = label): HTMLButtonElement {
  const made = element("button", {
    type: "button",
    className: "button small",
    textContent: sign,
    title: label,
  });
  made.setAttribute("aria-label", label);
  made.addEventListener("click", () => run(view));
  return made;
}

function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Partial<HTMLElementTagNameMap[Tag]>,
  children: Node[] = [],
): HTMLElementTagNameMap[Tag] {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}
