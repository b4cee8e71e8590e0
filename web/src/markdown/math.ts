/**
 * Formulas in Markdown: `\(…\)`, `\[…\]`, `$$…$$` and `$…$`. They become elements that contain their source;
 * `formulas.ts` renders them once they are on the page. Amounts of money are not formulas.
 */

import type { MarkedExtension } from "marked";

import { paragraphOf } from "./bounds.ts";

export interface Formula {
  raw: string;
  /** Null: a formula on lines of its own whose end has not arrived. */
  tex: string | null;
  display: boolean;
}

/** Longer ones stay text: TeX macros may take long. */
const MAX_CHARACTERS = 4000;
/** Words inside a formula: `\text{…}` and the like, also unfinished. */
const PROSE =
  /\\(?:text\w*|mbox|mathrm|mathbf|mathit|mathsf|operatorname\*?|begin|end|tag|label)\s*\{[^{}]*\}?/g;

/** Whether `tex` can be TeX: words of a sentence cannot. */
function isFormula(tex: string): boolean {
  if (!tex.trim() || tex.length > MAX_CHARACTERS) return false;
  const rest = tex.replace(PROSE, " + ").replace(/\\[a-zA-Z]+/g, " + ");
  return !/\p{L}{2,}[,;]?\s+\p{L}{2,}/u.test(rest);
}

/** Brackets and money mean something else more often: there must be more than a word or a number. */
const hasOperator = (tex: string) => /[\\^_=+*/<>|{}]|[^\s-]\s*-\s*\w|[≤≥≠≈∑∫√×÷±∈→]|\w\(/.test(tex);

const PARENTHESES = /^\\\(((?:\\(?![()])[\s\S]|[^\\`])*)\\\)/;
const BRACKETS = /^\\\[((?:\\(?![[\]])[\s\S]|[^\\`])*)\\\]/;
const DOLLARS = /^\$\$(?!\$)((?:\\[\s\S]|[^\\$`])+)\$\$(?!\$)/;
/** No space inside next to the signs, and no word outside next to them. */
const DOLLAR = /^\$(?![\s${])((?:\\[^\n]|[^\\$`\n])+)(?<!\s)\$(?![\w$({])/;

/** The formula that `source` begins with, inside a paragraph. `before`: the character before it, or empty. */
export function inlineFormula(source: string, before: string): Formula | null {
  const [parentheses, inParentheses = ""] = PARENTHESES.exec(source) ?? [];
  if (parentheses)
    return isFormula(inParentheses) ? { raw: parentheses, tex: inParentheses, display: false } : null;
  const [displayed, inside] = BRACKETS.exec(source) ?? DOLLARS.exec(source) ?? [];
  if (displayed && inside !== undefined)
    return isFormula(inside) && hasOperator(inside) ? { raw: displayed, tex: inside, display: true } : null;
  const [raw, tex = ""] = DOLLAR.exec(source) ?? [];
  if (!raw || /[\w$]/.test(before) || !isFormula(tex)) return null;
  // an amount, and text up to the next dollar sign
  if (
    /^\d/.test(tex) &&
    /\p{L}{3,}|\s\p{L}{2,}\s|^[\d.,]+\s*[-–/,;)]?$/u.test(tex.replace(/\\[a-zA-Z]+/g, "")) &&
    !/^\d+$/.test(tex)
  )
    return null;
  return { raw, tex, display: false };
}

const FENCES: [begin: RegExp, end: string][] = [
  [/^ {0,3}\$\$(?!\$)/, "$$"],
  [/^ {0,3}\\\[/, "\\]"],
];

/** The formula on lines of its own that `source` begins with. It ends before the first empty line. */
export function blockFormula(source: string): Formula | null {
  for (const [begin, end] of FENCES) {
    const opening = begin.exec(source)?.[0];
    if (opening === undefined) continue;
    const near = source.slice(0, opening.length + MAX_CHARACTERS + end.length);
    const paragraph = paragraphOf(near);
    const at = paragraph.indexOf(end, opening.length);
    if (at < 0) {
      const rest = paragraph.slice(opening.length);
      if (paragraph.length < source.length || (rest.trim() && !isFormula(rest))) return null;
      return { raw: source, tex: null, display: true };
    }
    const tex = paragraph.slice(opening.length, at);
    const after = /^[ \t]*[.,;:]?[ \t]*(?:\n|$)/.exec(source.slice(at + end.length))?.[0];
    if (after === undefined || !isFormula(tex) || !(hasOperator(tex) || tex.includes("\n"))) return null;
    return { raw: source.slice(0, at + end.length) + after, tex: tex + after.trim(), display: true };
  }
  return null;
}

/** Replaces formulas by letters, so that asterisks in them are no emphasis. `masked` has the length of `source`. */
export function maskFormulas(source: string, masked: string): string {
  if (!/\$|\\[([]/.test(source)) return masked;
  const next = /(`+)[^`](?:[\s\S]*?[^`])??\1(?!`)|\\[\s\S]|\$/g;
  let result = "";
  let end = 0;
  for (let found = next.exec(source); found; found = next.exec(source)) {
    if (found[0].startsWith("`")) continue;
    const formula = inlineFormula(source.slice(found.index), source.charAt(found.index - 1));
    if (!formula) continue;
    result += masked.slice(end, found.index) + "a".repeat(formula.raw.length);
    end = next.lastIndex = found.index + formula.raw.length;
  }
  return result + masked.slice(end);
}

export const CLASS_INLINE = "math";
export const CLASS_DISPLAY = "math-display";

/** The TeX in an element's text. */
export const texOf = (source: string) => (/^\$[^$]/.test(source) ? source.slice(1, -1) : source.slice(2, -2));

export const math = (escape: (text: string) => string): MarkedExtension => {
  const element = ({ raw, tex, display }: Formula) => {
    const [begin, end] = raw.trim().startsWith("$$") ? ["$$", "$$"] : ["\\[", "\\]"];
    // a full stop after a formula on its own line has become part of it
    const source = display ? `${begin}${tex}${end}` : raw;
    return `<span dir="ltr" class="${display ? CLASS_DISPLAY : CLASS_INLINE}">${escape(source)}</span>`;
  };
  return {
    extensions: [
      {
        name: "formula",
        level: "inline",
        start: (source) => {
          const at = source.search(/\$|\\[([]/);
          return at < 0 ? undefined : at;
        },
        tokenizer(source, tokens) {
          if (!/^[$\\]/.test(source)) return undefined;
          const formula = inlineFormula(source, tokens.at(-1)?.raw.at(-1) ?? "");
          return formula ? { type: "formula", ...formula } : undefined;
        },
        renderer: (token) => element(token as unknown as Formula),
      },
      {
        name: "formulaBlock",
        level: "block",
        start: (source) => {
          for (const { index } of paragraphOf(source).matchAll(/\n(?= {0,3}(?:\$\$|\\\[))/g))
            if (blockFormula(source.slice(index + 1))) return index;
          return undefined;
        },
        tokenizer(source) {
          const formula = blockFormula(source);
          return formula ? { type: "formulaBlock", ...formula } : undefined;
        },
        renderer(token) {
          const formula = token as unknown as Formula;
          if (formula.tex !== null) return `<p>${element(formula)}</p>\n`;
          return `<p>${escape(formula.raw.trim()).replaceAll("\n", "<br>")}</p>\n`;
        },
      },
    ],
  };
};
