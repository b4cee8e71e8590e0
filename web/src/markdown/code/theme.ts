/** Maps syntax tags to classes; their colours are in `code.css`. */

import { tagHighlighter, tags } from "@lezer/highlight";

export const codeTheme = tagHighlighter([
  { tag: [tags.keyword, tags.tagName, tags.modifier, tags.meta], class: "code-keyword" },
  { tag: [tags.string, tags.special(tags.string), tags.regexp, tags.inserted], class: "code-text" },
  {
    tag: [tags.number, tags.bool, tags.null, tags.atom, tags.unit, tags.color, tags.escape],
    class: "code-value",
  },
  {
    tag: [
      tags.typeName,
      tags.className,
      tags.attributeName,
      tags.propertyName,
      tags.macroName,
      tags.heading,
      tags.standard(tags.variableName),
      tags.definition(tags.variableName),
    ],
    class: "code-name",
  },
  { tag: tags.comment, class: "code-comment" },
  { tag: tags.deleted, class: "code-gone" },
]);
