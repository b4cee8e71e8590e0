import { expect, it } from "vitest";

import { beginning } from "./bounds.ts";
import { render as renderFormula } from "./katex.ts";
import { answers } from "./markdown.ts";
import { MarkdownStream, nested, type Nested } from "./markdown-stream.ts";
import { notes } from "./note-dialect.ts";
import { piecesOf } from "./pieces.ts";

const repeated = (part: string) => (length: number) => part.repeat(Math.ceil(length / part.length));
const lines = (line: (number: number) => string) => (length: number) => {
  let text = "";
  for (let number = 0; text.length < length; number++) text += line(number);
  return text;
};
const quotes = Array.from({ length: 40 }, (_, level) => `${">".repeat(40 - level)} a\n`).join("");

/** Texts that made marked, or what is built on it, take much longer than others of their length. */
const HOSTILE: Record<string, (length: number) => string> = {
  ...Object.fromEntries(
    ["*", "[", "![", "<", "`", "$", "|", "> ", "- ", "1. ", "- > ", ">- ", "*a ", "*a_", "a**b", "漢**"]
      .concat(["[a", "[a](", "[a]: ", "[[a", "x<", "<a ", "<a>", "<b>x</b>", "<!--", "<details>\n", "<div>"])
      .concat([
        "</details>\n",
        "a@",
        "a_b",
        "x\\\n",
        "$$\n",
        "$$x\n\n",
        "\\[\nx\n",
        "$\\a",
        "a\n\n",
        "# a\n",
        "`[",
      ])
      .concat(["|a|\n|-|\n", "<p>a</p>\n\n", "- [ ] a\n"])
      .map((part) => [part, repeated(part)]),
  ),
  "quotations that end one by one": repeated(quotes),
  "quotations beside paragraphs": repeated(`${quotes}\n\nb\n\n`),
  "a wide table with short rows": (length) => {
    const columns = Math.floor(length / 6);
    return `${"|a".repeat(columns)}\n${"|-".repeat(columns)}\n${"|\n".repeat(columns)}`;
  },
  "links in links": (length) => "[".repeat(length / 2) + "](b)".repeat(length / 8),
  "deep lists": lines((number) => `${"  ".repeat(number % 100)}- a\n`),
  "definitions and paragraphs": (length) =>
    lines((number) => `[a${number}]: b\n`)(length / 2) + repeated("\n\na")(length / 2),
  "tags that are never closed": (length) => "<b>".repeat(length / 6) + "</i>".repeat(length / 8),
  "items without lists": (length) => "<li>".repeat(length / 8) + "</li>".repeat(length / 10),
};

/** Milliseconds: the least of a few, as others use the machine, too. */
function least(times: number, work: () => unknown): number {
  return Math.min(
    ...Array.from({ length: times }, () => {
      const began = performance.now();
      work();
      return performance.now() - began;
    }),
  );
}

it.each(Object.keys(HOSTILE))("takes time in proportion to the length: %j", (name) => {
  const make = HOSTILE[name] as (length: number) => string;
  const [short, long] = [make(32_000), make(128_000)];
  const one = least(3, () => notes.lex(short));
  expect(least(2, () => notes.lex(long))).toBeLessThan(10 * one + 200);
});

it("keeps the text of what it does not read", () => {
  const text = (source: string) => {
    const page = document.createElement("div");
    page.innerHTML = answers.render(answers.lex(source));
    return page.textContent.replace(/\s+/g, "");
  };
  expect(text(`${">".repeat(100)} quoted`)).toBe(`${">".repeat(68)}quoted`);
  expect(text(`${"- ".repeat(60)}item`)).toContain("item");
  expect(text(quotes.repeat(50)).replace(/>/g, "")).toBe("a".repeat(2000));
  const row = "|a".repeat(300);
  expect(text(`${row}\n${"|-".repeat(300)}\n${"|x\n".repeat(300)}`)).toContain("|x|x");
  expect(text("a **b** c ".repeat(1000))).toBe("abc".repeat(1000));
});

it("cuts long texts between words, and loses nothing", () => {
  for (const source of ["", "word ".repeat(3000), "*a".repeat(3000), "x".repeat(9001), "🖋".repeat(5000)]) {
    const pieces = piecesOf(source);
    expect(pieces.join("")).toBe(source);
    for (const piece of pieces) {
      expect(piece.length).toBeLessThanOrEqual(4000);
      expect((piece.match(/\*/g) ?? []).length).toBeLessThanOrEqual(200);
      expect(piece).not.toMatch(/^[\udc00-\udfff]|[\ud800-\udbff]$/);
    }
  }
  expect(piecesOf("word ".repeat(3000))[0]).toMatch(/ $/);
});

it("shows the first lines", () => {
  expect(beginning("a\nb\nc", 2)).toBe("a\nb\n");
  for (const whole of ["", "a", "a\nb", "a\nb\n"]) expect(beginning(whole, 2)).toBe(whole);
});

it("a text that grows takes time in proportion to its length", () => {
  const grow = (text: string) => {
    const stream = new MarkdownStream();
    for (let end = 1000; end <= text.length; end += 1000) stream.update(text.slice(0, end));
  };
  for (const part of ["*a ", "- > ", "[a", `${quotes}\n\nb\n\n`]) {
    const one = least(2, () => grow(part.repeat(8_000 / part.length)));
    // sixteen times the work where each step reads the unfinished block from its beginning
    expect(
      least(1, () => grow(part.repeat(32_000 / part.length))),
      part,
    ).toBeLessThan(40 * one + 400);
  }
});

it("details are nested to a bounded depth, and end where they end", () => {
  const depth = (blocks: Nested[]): number =>
    Math.max(0, ...blocks.map((block) => (block.kind === "details" ? 1 + depth(block.blocks) : 0)));
  const source = `${"<details>\n".repeat(500)}\ninside\n\n${"</details>\n".repeat(500)}\nafter`;
  const blocks = nested(new MarkdownStream().update(source));
  expect(depth(blocks)).toBe(32);
  expect(blocks).toHaveLength(2);
  expect(JSON.stringify(blocks[1])).toContain("after");
});

it("a macro that multiplies is not rendered", () => {
  const place = document.createElement("span");
  const began = performance.now();
  renderFormula(`\\def\\a{${"x".repeat(900)}}${"\\a".repeat(400)}`, place, true);
  expect(performance.now() - began).toBeLessThan(2000);
  expect(place.childNodes).toHaveLength(0);
  renderFormula("\\def\\a{x}\\a+\\a", place, true);
  expect(place.querySelector(".katex")).not.toBeNull();
});
