/** The dialect of notes: that of answers, with links between notes. */

import { dialect, escape } from "./markdown.ts";
import { relativeAddress, wikiLinkAt, type WikiLink } from "./wiki-link.ts";

/** `title` names the linked note; NotePreview sets the address once the note is found. */
const wikiLink = ({ title, shown }: WikiLink) =>
  `<a class="wiki-link" href="/notes" title="${escape(title)}">${escape(shown)}</a>`;

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
  ],
});
