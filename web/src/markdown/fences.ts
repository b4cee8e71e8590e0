/** Parses fenced code in a note in its own language. A language's parser is fetched when a note needs it. */

import { ParseContext } from "@codemirror/language";
import { parseCode } from "@lezer/markdown";

import { languageOf } from "./code/languages.ts";

export const fences = parseCode({
  codeParser(info) {
    const language = languageOf(info);
    if (!language) return null;
    return language.parser ?? ParseContext.getSkippingParser(language.load());
  },
});
