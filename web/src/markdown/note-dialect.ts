/** Markdown as notes are read: as answers, and with links between notes. */

import { dialect, escape } from "./markdown.ts";
import { wikiLinkAt, type WikiLink } from "./wiki-link.ts";

/** `title` says which note is meant until it is known where that is (NotePreview). */
const wikiLink = ({ title, shown }: WikiLink) =>
  `<a class="wiki-link" href="/notes" title="${escape(title)}">${escape(shown)}</a>`;

export const notes = dialect({
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
