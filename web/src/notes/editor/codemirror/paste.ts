/** Pasting: rich text becomes Markdown, and a URL pasted over a selection makes it a link. */

import { EditorSelection, type Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";

const URL_ALONE = /^(?:https?:\/\/|mailto:)[^\s<>]+$/i;
/** Longer HTML is pasted as the plain text that comes with it. */
const HTML_CHARACTERS = 1_000_000;
/** HTML without any of these looks the same as its plain text. */
const FORMATTED = /<(?:h[1-6]|strong|b|em|i|del|s|a|ul|ol|li|blockquote|pre|code|table|img|hr|input)[\s>/]/i;
/** Editors of code put their colours into HTML: what they copy is plain text. */
const FROM_CODE = /<meta[^>]+vscode|data-vscode|class="[^"]*monaco/i;

export const markdownPaste: Extension = EditorView.domEventHandlers({
  paste(event, view) {
    const data = event.clipboardData;
    if (!data || view.state.readOnly || data.files.length > 0) return false;
    const plain = data.getData("text/plain");
    if (URL_ALONE.test(plain.trim()) && linkSelection(view, plain.trim())) {
      event.preventDefault();
      return true;
    }
    const html = data.getData("text/html");
    if (!html || html.length > HTML_CHARACTERS || !FORMATTED.test(html) || FROM_CODE.test(html)) return false;
    event.preventDefault();
    void insertHtml(view, html, plain);
    return true;
  },
});

/** Makes each selected text a link. False if nothing, or more than a line, is selected. */
function linkSelection(view: EditorView, url: string): boolean {
  const { state } = view;
  const { ranges } = state.selection;
  if (ranges.some(({ from, to }) => from === to || state.sliceDoc(from, to).includes("\n"))) return false;
  const address = /[()\s]/.test(url) ? `<${url}>` : url;
  const changes = state.changeByRange(({ from, to }) => {
    const text = state.sliceDoc(from, to).replace(/[[\]]/g, "\\$&");
    const insert = `[${text}](${address})`;
    return { changes: { from, to, insert }, range: EditorSelection.cursor(from + insert.length) };
  });
  view.dispatch(state.update(changes, { userEvent: "input.paste", scrollIntoView: true }));
  return true;
}

async function insertHtml(view: EditorView, html: string, plain: string): Promise<void> {
  // what is typed while the converter is loaded moves the place with it
  const text = await import("./html-to-markdown.ts")
    .then(({ htmlToMarkdown }) => htmlToMarkdown(html))
    .catch(() => plain);
  if (view.state.readOnly) return;
  view.dispatch(view.state.replaceSelection(text.trim() === "" ? plain : text), {
    userEvent: "input.paste",
    scrollIntoView: true,
  });
}
