/**
 * Bounds on the work that a text can make. marked's time grows with the square of a paragraph's length, and doubles with
 * each level of quotations that end one by one; a table has as many cells as its rows times its columns, however short
 * its rows are. A note of a few kilobytes could hold up the page for ever.
 *
 * Invariant: the time to parse a text is at most proportional to its length. It holds because inline elements are read
 * from pieces of bounded size, and a block that contains blocks is read as plain text once the texts of all blocks
 * together are longer than a multiple of the whole text. Texts that people write are far below every bound.
 */

import {
  Lexer,
  type MarkedExtension,
  type Token,
  type Tokenizer,
  type Tokens,
  type TokensList,
} from "marked";

import { MAX_DEPTH, piecesOf } from "./pieces.ts";

/** The characters of all blocks, inner ones counted again, for each character of the text. */
const WORK_PER_CHARACTER = 10;
const LEAST_WORK = 100_000;
/** Cells that rows lack, beyond one for each character. */
const MAX_ADDED_CELLS = 10_000;
const MAX_DEFINITIONS = 1000;

/** The first lines of a text. */
export function beginning(text: string, lines: number): string {
  let end = -1;
  for (let line = 0; line < lines; line++) {
    end = text.indexOf("\n", end + 1);
    if (end < 0) return text;
  }
  return text.slice(0, end + 1);
}

/** The text before the first empty line, which ends a paragraph: a block that could interrupt it begins there or nowhere. */
export function paragraphOf(source: string): string {
  const blank = /\n[ \t]*\n/.exec(source);
  return blank ? source.slice(0, blank.index) : source;
}

/** Counts what is read. */
export class BoundedLexer extends Lexer {
  #depth = 0;
  #work = 0;
  #limit = LEAST_WORK;

  override lex(source: string) {
    this.#limit = Math.max(LEAST_WORK, WORK_PER_CHARACTER * source.length);
    return super.lex(source);
  }

  override blockTokens(source: string, tokens?: Token[], isLastParagraphClipped?: boolean): Token[];
  override blockTokens(source: string, tokens?: TokensList, isLastParagraphClipped?: boolean): TokensList;
  override blockTokens(source: string, tokens?: Token[], isLastParagraphClipped?: boolean): Token[] {
    this.#depth += 1;
    this.#work += source.length;
    try {
      return super.blockTokens(source, tokens, isLastParagraphClipped);
    } finally {
      this.#depth -= 1;
    }
  }

  override inlineTokens(source: string, tokens: Token[] = []): Token[] {
    for (const piece of piecesOf(source)) tokens.push(...this.pieceTokens(piece, []));
    return tokens;
  }

  protected pieceTokens(piece: string, tokens: Token[]): Token[] {
    return super.inlineTokens(piece, tokens);
  }

  /** Whether a block may contain blocks here. */
  get mayNest(): boolean {
    return this.#depth <= MAX_DEPTH && this.#work <= this.#limit;
  }
}

const mayNest = (lexer: Lexer) => !(lexer instanceof BoundedLexer) || lexer.mayNest;

/** Before marked's own rules. Text is consumed by the token that would have had it, so that the parse always goes on. */
export const bounds: MarkedExtension = {
  tokenizer: {
    blockquote(source) {
      if (mayNest(this.lexer)) return false;
      const raw = this.rules.block.blockquote.exec(source)?.[0].replace(/\n+$/, "");
      if (raw === undefined) return undefined;
      return { type: "blockquote", raw, text: raw, tokens: [plain(raw)] };
    },
    list(source) {
      if (mayNest(this.lexer)) return false;
      const raw = this.rules.block.list.exec(source)?.[0].replace(/\n+$/, "");
      if (!raw) return undefined;
      const item = { type: "list_item", raw, text: raw, task: false, loose: false, tokens: [plain(raw)] };
      return { type: "list", raw, ordered: false, start: "", loose: false, items: [item] } as Tokens.List;
    },
    table(source) {
      const [table = "", header = ""] = this.rules.block.table.exec(source) ?? [];
      const cells = header.split("|").length * table.split("\n").length;
      return cells <= table.length + MAX_ADDED_CELLS ? false : undefined;
    },
    def() {
      return Object.keys(this.lexer.tokens.links).length < MAX_DEFINITIONS ? false : undefined;
    },
  } satisfies MarkedExtension["tokenizer"] & ThisType<Tokenizer>,
};

const plain = (text: string): Tokens.Text => ({ type: "text", raw: text, text, escaped: false });
