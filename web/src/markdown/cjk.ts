/**
 * Markdown beside Chinese, Japanese and Korean, which are written without spaces. Whether `**` opens or closes depends in
 * CommonMark on spaces and punctuation around it, so that `含**「重点」**内容` would stay as it is. Here, as in
 * https://github.com/tats-u/markdown-cjk-friendly, CJK punctuation counts as a letter, and other punctuation beside a
 * CJK character counts as if there were a space between them.
 */

import { Tokenizer, type MarkedExtension, type Rules } from "marked";

const PUNCTUATION =
  "\\u3001-\\u303f\\ufe10-\\ufe1f\\ufe30-\\ufe4f\\uff01-\\uff0f\\uff1a-\\uff20\\uff3b-\\uff40\\uff5b-\\uff65\\uffe0-\\uffee";
const CJK = `[${PUNCTUATION}\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}\\p{Script=Bopomofo}]`;
const ENDS_CJK = new RegExp(`${CJK}$`, "u");
/** No URL contains these: CJK punctuation, and the quotation marks, dashes and ellipses of print. */
const ENDS_URL = new RegExp(`[${PUNCTUATION}\\u3000\\u2014\\u2018\\u2019\\u201c\\u201d\\u2026]`);

const PUNCT = `(?![~${PUNCTUATION}])[\\p{P}\\p{S}]`;
const SPACE_OR_PUNCT = `(?![~${PUNCTUATION}])[\\s\\p{P}\\p{S}]`;
const OTHER = `(?:[^\\s\\p{P}\\p{S}]|[~${PUNCTUATION}])`;

/** marked's rule for what opens emphasis, with this file's punctuation for asterisks. */
const OPENING = new RegExp(
  `^(?:\\*+(?:((?!\\*)${PUNCT})|([^\\s*]))?)|^_+(?:((?![_~])[\\p{P}\\p{S}])|([^\\s_]))?`,
  "u",
);
/** marked's rule for what closes emphasis: groups 1 and 2 can only close, 3 and 4 only open, 5 and 6 either. */
const CLOSING = new RegExp(
  [
    "^[^_*]*?__[^_*]*?\\*[^_*]*?(?=__)",
    "[^*]+(?=[^*])",
    `(?!\\*)${PUNCT}(\\*+)(?=[\\s]|$)`,
    `${OTHER}(\\*+)(?!\\*)(?=${SPACE_OR_PUNCT}|$)`,
    `(?:\\s|(?!\\*)${PUNCT}(?=\\*+(?!\\*|${CJK})))(\\*+)(?=${OTHER})`,
    `[\\s](\\*+)(?!\\*)(?=${PUNCT})`,
    `(?!\\*)${PUNCT}(\\*+)(?!\\*)(?=${PUNCT}|${CJK})`,
    `${OTHER}(\\*+)(?=${OTHER})`,
  ].join("|"),
  "gu",
);

/** marked's rules for inline elements, with those for emphasis beside CJK characters. */
export function withCjk(rules: Rules): Rules {
  const inline = { ...rules.inline, emStrongLDelim: OPENING, emStrongRDelimAst: CLOSING };
  return { ...rules, inline };
}

export const cjk: MarkedExtension = {
  tokenizer: {
    emStrong(source, masked, before = "") {
      // as after a space: whatever follows, `**` may open after a CJK character
      const previous = source.startsWith("*") && ENDS_CJK.test(before) ? " " : before;
      return Tokenizer.prototype.emStrong.call(this, source, masked, previous);
    },
    url(source) {
      const end = source.search(ENDS_URL);
      return Tokenizer.prototype.url.call(this, end < 0 ? source : source.slice(0, end));
    },
  },
};
