import type { Token, Tokens } from "marked";
import { describe, expect, it, vi } from "vitest";

import type { DetailsToken } from "./details.ts";
import { codeOf } from "./markdown-parts.ts";
import { answers } from "./markdown.ts";
import { MarkdownStream, type Block } from "./markdown-stream.ts";
import { IncrementalDom } from "./incremental-dom.ts";

// the sanitiser is slow and treats each part as it would treat the whole
vi.mock("dompurify", () => ({
  default: () => ({ addHook: () => undefined, sanitize: (html: string) => html }),
}));

/** A page that renders a stream's blocks as they arrive. */
class Shown {
  #pages = new Map<number, { page: HTMLElement; dom: IncrementalDom }>();
  #blocks: Block[] = [];

  show(blocks: Block[]): void {
    this.#blocks = blocks;
    for (const block of blocks) {
      if (block.kind !== "html") this.#pages.delete(block.key);
      else this.#of(block.key).dom.show(block.parts, block.open);
    }
    for (const key of this.#pages.keys()) if (key >= blocks.length) this.#pages.delete(key);
  }

  get html(): string {
    const parts = this.#blocks.map((block) => {
      if (block.kind === "code") return `<pre>${block.language}:${block.text}</pre>`;
      if (block.kind === "details") return `<details ${block.open}>${tidy(block.summary)}`;
      if (block.kind === "end") return "</details>";
      return tidy(this.#of(block.key).page.innerHTML);
    });
    return parts.join("\n");
  }

  #of(key: number) {
    const known = this.#pages.get(key);
    if (known) return known;
    const page = document.createElement("div");
    const made = { page, dom: new IncrementalDom(page) };
    this.#pages.set(key, made);
    return made;
  }
}

/** The result of parsing the whole text at once. */
function atOnce(text: string): string {
  const blocks = answers
    .lex(text.replace(/\r\n?/g, "\n"))
    .filter(({ type }) => type !== "space" && type !== "def");
  return blocks.map((token) => blockAtOnce(token)).join("\n");
}

function blockAtOnce(token: Token): string {
  if (token.type === "code")
    return `<pre>${(token as Tokens.Code).lang?.split(/\s/)[0] ?? ""}:${codeOf(token as Tokens.Code)}</pre>`;
  if (token.type === "detailsEnd") return "</details>";
  if (token.type !== "details") return tidy(answers.render([token]));
  const { open, tokens } = token as DetailsToken;
  const summary = answers.render([{ type: "text", raw: "", text: "", tokens }]);
  return `<details ${open}>${tidy(summary) || "Details"}`;
}

function tidy(html: string): string {
  const page = document.createElement("div");
  page.innerHTML = html;
  return page.innerHTML.replace(/(>|^)\s+(?=<|$)/g, "$1");
}

/** A number below `n`, from a seeded sequence. */
function chance(seed: number) {
  let state = seed * 2654435761;
  return (n: number) => {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 0x9e3779b9) >>> 0;
    return ((state ^ (state >>> 13)) >>> 0) % n;
  };
}

const PIECES = [
  ..."- a|- |  - b|1. c|2) d|* e|+ f|   g|    h|- [ ] t|- [x] u|  1. i|> q|> - r|>|# H|#x|===|---|--|-|=".split(
    "|",
  ),
  ..."***|* * *|- - -|```|```py|~~~|``|`c`|`|**b**|**b|_e_|_|*|**|a_b_c|2 * 3|~~s~~|~|[l](/x)|[r]|[r][s]|[R]".split(
    "|",
  ),
  ..."[r]: /u|[s]: /v 't'|[r]: /w|[|](|]|![p](/q)|<br>|<b>|</b>|<div>|</div>|<!--|-->|<i>x</i>|</ul>|</table>".split(
    "|",
  ),
  ..."https://e.org/a_b|www.e.org|m@e.org|\\|\\*|&amp;|&|'|\"|(|)|word|and so on. |the end|:|x: y|[[n]]|[[n|m]]".split(
    "|",
  ),
  ..."Vec<T>|<key>|<div>|<u>x</u>|<details>|</details>|<summary>s</summary>|<summary>|</summary>|x</details>".split(
    "|",
  ),
  ..."$x_1$|$5|$|$$|\\\\[|\\\\]|\\\\(a*b\\\\)|\\\\(|a = b|**「字」**字|。**|字*|https://e.org/a，字|~5".split(
    "|",
  ),
  "| a | b |",
  "|---|---|",
  "| 1 | `x` |",
  "a | b",
  "--- | ---",
  "|:-|-:|",
  "| 1 |",
  "|",
  "|-|",
  " | ",
  "The words of a sentence that goes on for a while, and then for a while more. ".repeat(9),
];
const BETWEEN = ["\n", "\n", "\n", "\n\n", " ", " ", "", "  \n", "\n\n\n", "\t", "\r\n"];

function anyText(seed: number): string {
  const below = chance(seed);
  let text = "";
  for (let count = 3 + below(14); count > 0; count--)
    text += `${PIECES[below(PIECES.length)]}${BETWEEN[below(BETWEEN.length)]}`;
  return text;
}

const SEEDS = Number(process.env["SEEDS"] ?? 80);

describe("Markdown that arrives in chunks", () => {
  it.each([0, 1, 2, 3])(
    "renders each prefix like the same text at once (%i)",
    { timeout: 60_000 },
    (part) => {
      for (let seed = part * SEEDS; seed < (part + 1) * SEEDS; seed += 4) {
        const text = anyText(seed);
        const below = chance(seed + 7);
        const stream = new MarkdownStream();
        const shown = new Shown();
        for (
          let end = 1;
          end <= text.length;
          end += end < 120 || text.length - end < 120 ? 1 : 1 + below(40)
        ) {
          const soFar = text.slice(0, end);
          shown.show(stream.update(soFar));
          expect(shown.html, `seed ${seed}: ${soFar}`).toBe(atOnce(soFar));
        }
      }
    },
  );
});
