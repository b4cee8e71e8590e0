/** Links in the editor: following them, and marking those whose note does not exist. */

import { syntaxTree } from "@codemirror/language";
import { StateEffect, type EditorState, type Extension } from "@codemirror/state";
import {
  Decoration,
  EditorView,
  keymap,
  ViewPlugin,
  type DecorationSet,
  type ViewUpdate,
} from "@codemirror/view";

import type { Titles } from "../../links/titles.svelte.ts";
import { relativeAddress, wikiLinkAt } from "../../../markdown/wiki-link.ts";
import { hasCaretLine } from "./caret-lines.ts";

/** The known titles have changed. */
export const titlesChanged = StateEffect.define<null>();

const LINK = Decoration.mark({ class: "cm-link" });
const MISSING = Decoration.mark({ class: "cm-link cm-missing", attributes: { title: "No note yet" } });
const KINDS = new Set(["WikiLink", "Link", "Autolink", "URL"]);

export interface LinkOptions {
  titles: Titles;
  /** Opens the note with this title. */
  toNote: (title: string) => void;
}

export function linkDecorations({ titles, toNote }: LinkOptions): Extension {
  const follow = (view: EditorView, position: number): boolean => {
    const text = linkAt(view.state, position);
    const title = wikiLinkAt(text)?.title ?? relativeAddress(text);
    if (title) toNote(title);
    else if (!/^(https?:|mailto:)/i.test(text)) return false;
    else window.open(text, "_blank", "noopener,noreferrer");
    return true;
  };
  let touched = false;
  return [
    marked(titles),
    keymap.of([{ key: "Mod-Enter", run: (view) => follow(view, view.state.selection.main.head) }]),
    EditorView.domEventHandlers({
      pointerdown(event) {
        touched = event.pointerType === "touch";
      },
      mousedown(event, view) {
        const isLink = event.target instanceof HTMLElement && event.target.closest(".cm-link") !== null;
        if (event.button !== 0 || !isLink) return false;
        const position = view.posAtCoords({ x: event.clientX, y: event.clientY });
        if (position === null) return false;
        // a tap follows a link that is shown as one; in the caret's line it moves the caret
        const isTap = touched && !hasCaretLine(view.state, position, position);
        if (!isTap && !event.metaKey && !event.ctrlKey) return false;
        if (!follow(view, position)) return false;
        event.preventDefault();
        return true;
      },
      keydown: showFollowing,
      keyup: showFollowing,
      mousemove: showFollowing,
    }),
  ];
}

/** Shows a pointer cursor over links while Ctrl or Cmd is held, with which a click follows them. */
function showFollowing(event: MouseEvent | KeyboardEvent, view: EditorView): void {
  view.dom.classList.toggle("cm-follows", event.metaKey || event.ctrlKey);
}

/** The wiki link or URL at `position`; empty if there is none. */
function linkAt(state: EditorState, position: number): string {
  for (const side of [-1, 1] as const) {
    let node = syntaxTree(state).resolveInner(position, side);
    while (node.parent && !KINDS.has(node.name)) node = node.parent;
    if (!KINDS.has(node.name)) continue;
    const address = node.name === "WikiLink" || node.name === "URL" ? node : node.getChild("URL");
    if (address) return state.sliceDoc(address.from, address.to);
  }
  return "";
}

function marked(titles: Titles): Extension {
  const draw = (view: EditorView): DecorationSet => {
    const found = view.visibleRanges.flatMap(({ from, to }) => {
      const ranges: ReturnType<typeof LINK.range>[] = [];
      syntaxTree(view.state).iterate({
        from,
        to,
        enter(node) {
          if (!KINDS.has(node.name)) return;
          const link = node.name === "WikiLink" && wikiLinkAt(view.state.sliceDoc(node.from, node.to));
          ranges.push((link && titles.known(link.title) === null ? MISSING : LINK).range(node.from, node.to));
          return false;
        },
      });
      return ranges;
    });
    return Decoration.set(found, true);
  };
  return ViewPlugin.fromClass(
    class {
      decorations: DecorationSet;
      constructor(view: EditorView) {
        this.decorations = draw(view);
      }
      update(update: ViewUpdate) {
        const titlesUpdated = update.transactions.some((one) =>
          one.effects.some((effect) => effect.is(titlesChanged)),
        );
        const read = syntaxTree(update.state) !== syntaxTree(update.startState);
        if (titlesUpdated || read || update.docChanged || update.viewportChanged)
          this.decorations = draw(update.view);
      }
    },
    { decorations: (plugin) => plugin.decorations },
  );
}
