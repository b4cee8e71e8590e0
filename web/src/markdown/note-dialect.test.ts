import { expect, it } from "vitest";

import { notes } from "./note-dialect.ts";

const REL = 'rel="noopener noreferrer nofollow"';
const link = (title: string, shown: string) =>
  `<a class="wiki-link" href="/notes" title="${title}" ${REL}>${shown}</a>`;

it.each([
  ["[t *b*](Sub/File%20Name.md)", link("./Sub/File%20Name.md", "t <em>b</em>")],
  ['[u](<../File Name.md#x> "T")', link("../File Name.md#x", "u")],
  ["[r][1]\n\n[1]: N.md", link("./N.md", "r")],
  ['[q](a"onclick=x.md)', link("./a&quot;onclick=x.md", "q")],
  ["[[Folder/Note#Part|shown]]", link("Folder/Note#Part", "shown")],
  ["[j](javascript:alert(1))", "<a>j</a>"],
  ["[k](/notes)", `<a href="/notes" ${REL}>k</a>`],
])("%j is rendered as a link to a note, or elsewhere", (text, html) =>
  expect(notes.render(notes.lex(text)).trim()).toBe(`<p>${html}</p>`),
);
