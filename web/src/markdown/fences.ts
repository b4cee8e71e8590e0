/** Code in a text, read in its language. Each is fetched when a note has some of it. */

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
