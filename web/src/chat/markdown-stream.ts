/** Markdown that grows: only the block still being written is rendered again. */

import type { Token, Tokens } from "marked";

import { answers, type Dialect } from "./markdown.ts";

export type Block =
  { key: number; kind: "html"; html: string } | { key: number; kind: "code"; text: string; language: string };

/**
 * A block is settled once another one has begun behind it. The work of `update` is proportional to the text that is
 * new since the last one and the block it belongs to, not to the whole.
 */
export class MarkdownStream {
  #source = "";
  /** Where the text of the block still being written begins. */
  #open = 0;
  #settled: Block[] = [];
  #dialect: Dialect;

  constructor(dialect: Dialect = answers) {
    this.#dialect = dialect;
  }

  /** The blocks of `source`, which is usually the last call's with something added. */
  update(source: string): Block[] {
    const text = source.includes("\r") ? source.replace(/\r\n?/g, "\n") : source;
    if (!text.startsWith(this.#source)) {
      this.#open = 0;
      this.#settled = [];
    }
    this.#source = text;
    const tokens = this.#dialect.lex(text.slice(this.#open));
    this.#settle(tokens);
    const block = this.#block(tokens.filter(isShown));
    return block ? [...this.#settled, block] : this.#settled;
  }

  /** Moves all but the last shown token out of `tokens`, into settled blocks. */
  #settle(tokens: Token[]): void {
    const last = tokens.findLastIndex(isShown);
    const finished = tokens.splice(0, Math.max(0, last));
    const length = finished.reduce((sum, token) => sum + token.raw.length, 0);
    const settled = [...this.#settled];
    for (const token of finished) {
      const block = isShown(token) ? this.#block([token], settled.length) : null;
      if (block) settled.push(block);
    }
    this.#settled = settled;
    this.#open += length;
  }

  #block(tokens: Token[], key = this.#settled.length): Block | null {
    const [token] = tokens;
    if (!token) return null;
    if (token.type === "code") {
      const { text, lang } = token as Tokens.Code;
      return { key, kind: "code", text, language: (lang ?? "").split(/\s/)[0] ?? "" };
    }
    return { key, kind: "html", html: this.#dialect.render(tokens) };
  }
}

function isShown(token: Token): boolean {
  return token.type !== "space" && token.type !== "def";
}
