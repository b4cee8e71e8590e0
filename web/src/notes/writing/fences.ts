/** The languages of code in a text. Each is fetched when a note has some of it. */

import { HighlightStyle, LanguageDescription, ParseContext } from "@codemirror/language";
import { parseCode } from "@lezer/markdown";
import { tags } from "@lezer/highlight";

const languages = [
  LanguageDescription.of({
    name: "javascript",
    alias: ["js", "jsx", "mjs"],
    load: () => import("@codemirror/lang-javascript").then(({ javascript }) => javascript({ jsx: true })),
  }),
  LanguageDescription.of({
    name: "typescript",
    alias: ["ts", "tsx"],
    load: () =>
      import("@codemirror/lang-javascript").then(({ javascript }) =>
        javascript({ jsx: true, typescript: true }),
      ),
  }),
  LanguageDescription.of({
    name: "css",
    alias: ["scss"],
    load: () => import("@codemirror/lang-css").then(({ css }) => css()),
  }),
  LanguageDescription.of({
    name: "python",
    alias: ["py"],
    load: () => import("@codemirror/lang-python").then(({ python }) => python()),
  }),
  LanguageDescription.of({
    name: "json",
    alias: ["jsonc", "json5"],
    load: () => import("@codemirror/lang-json").then(({ json }) => json()),
  }),
  LanguageDescription.of({
    name: "sql",
    alias: ["postgresql", "mysql", "sqlite"],
    load: () => import("@codemirror/lang-sql").then(({ sql }) => sql()),
  }),
  LanguageDescription.of({
    name: "yaml",
    alias: ["yml"],
    load: () => import("@codemirror/lang-yaml").then(({ yaml }) => yaml()),
  }),
];

export const fences = parseCode({
  codeParser(info) {
    const name = /^\s*([\w+#-]+)/.exec(info)?.[1];
    const found = name ? LanguageDescription.matchLanguageName(languages, name, false) : null;
    if (!found) return null;
    return found.support?.language.parser ?? ParseContext.getSkippingParser(found.load());
  },
});

const word = "var(--accent)";
const value = "light-dark(#8a4a06, #eabb7d)";

export const codeLook = HighlightStyle.define([
  { tag: [tags.keyword, tags.tagName, tags.modifier], color: word },
  { tag: [tags.string, tags.special(tags.string), tags.regexp], color: "light-dark(#2c6a3a, #a3d6ae)" },
  { tag: [tags.number, tags.bool, tags.null, tags.atom, tags.unit, tags.color], color: value },
  {
    tag: [tags.typeName, tags.className, tags.attributeName, tags.propertyName],
    color: "light-dark(#7b2d74, #e0a6da)",
  },
  { tag: tags.comment, color: "var(--ink-faint)", fontStyle: "italic" },
]);
