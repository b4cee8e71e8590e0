/** The dialect of notes: that of answers, with links between notes and highlighted words. */

import { dialect, escape } from "./markdown.ts";
import { relativeAddress, wikiLinkAt, type WikiLink } from "./wiki-link.ts";

/** `title` names the linked note; NotePreview sets the address once the note is found. */
const wikiLink = ({ title, shown }: WikiLink) =>
  `<a class="wiki-link" href="/notes" title="${escape(title)}">${escape(shown)}</a>`;

/** `==like this==`: no blank inside next to the signs, so that comparisons are none. */
const HIGHLIGHT = /^==(?![\s=])((?:[^=\n]|=(?!=))*?[^\s=])==(?!=)/;

export const notes = dialect({
  renderer: {
    link({ href, tokens }) {
      const title = relativeAddress(href);
      if (title === null) return false;
      return `<a class="wiki-link" href="/notes" title="${escape(title)}">${this.parser.parseInline(tokens)}</a>`;
    },
  },
  extensions: [
    {
      name: "wikiLink",
      level: "inline",
      start: (text) => text.indexOf("[["),
      tokenizer(text) {
        const link = wikiLinkAt(text);
        return link ? { type: "wikiLink", ...link } : undefined;
      },
      renderer: (token) => wikiLink(token as unknown as WikiLink),
    },
    {
      name: "highlight",
      level: "inline",
      start: (text) => text.indexOf("=="),
      tokenizer(text) {
        const [raw, inner = ""] = HIGHLIGHT.exec(text) ?? [];
        return raw ? { type: "highlight", raw, tokens: this.lexer.inlineTokens(inner) } : undefined;
      },
      renderer({ tokens }) {
        return `<mark>${this.parser.parseInline(tokens ?? [])}</mark>`;
      },
    },
  ],
});
