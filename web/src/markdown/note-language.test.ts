import { expect, it } from "vitest";

import { language } from "./note-language.ts";

const LENGTH = 250_000;
const repeated = (part: string) => (length: number) => part.repeat(Math.ceil(length / part.length));

/** Kinds of one long line: each took seconds, or exhausted the stack. */
const LINES: Record<string, (length: number) => string> = {
  links: repeated("[a](b) "),
  "links without spaces": repeated("[a](b)"),
  "wiki links": repeated("[[a]]"),
  emphasis: repeated("*a* **b** "),
  "emphasis that is not closed": repeated("*a _b "),
  "opening brackets": repeated("["),
  "brackets in brackets": (length) => "[".repeat(length / 2) + "]".repeat(length / 2),
  "links in links": (length) => "[".repeat(length / 2) + "](b)".repeat(length / 8),
  pictures: repeated("![a](b)"),
  code: repeated("`a` ``b "),
  tags: repeated("<a "),
  addresses: repeated("https://a.example/b "),
  "addresses in brackets": repeated("[https://a.example/b "),
  CJK: repeated("漢字**漢**、"),
  "no spaces": repeated("a"),
  quotations: repeated("> "),
  lists: repeated("- a "),
  "nested lists": repeated("1. - "),
  cells: (length) => `${"|a".repeat(length / 4)}\n${"|-".repeat(length / 4)}`,
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

const marks = (text: string) => {
  const ends: number[] = [];
  language.parser
    .parse(text)
    .iterate({ enter: ({ name, to }) => void (/Mark$/.test(name) && ends.push(to)) });
  return ends;
};

it.each(Object.keys(LINES))("reads a long line in time in proportion to its length: %s", (name) => {
  const make = LINES[name] as (length: number) => string;
  const [short, long] = [make(LENGTH / 8), make(LENGTH)];
  const one = least(3, () => language.parser.parse(short));
  expect(least(2, () => language.parser.parse(long))).toBeLessThan(20 * one + 200);
  // what follows is read as ever
  expect(marks(`${long}\n\n# a`).at(-1)).toBe(long.length + 3);
});

it("marks the beginning of a long line only", () => {
  const found = marks("*a* ".repeat(LENGTH / 4));
  expect(found.length).toBeGreaterThan(100);
  expect(found.length).toBeLessThan(1000);
  // prose is not cut so soon
  const prose = `${"words ".repeat(100)}*a* `;
  expect(marks(prose.repeat(12))).toHaveLength(24);
});

it("marks every line of a long paragraph", () => {
  const lines = "some *words* of it\n".repeat(LENGTH / 19);
  expect(marks(lines)).toHaveLength((lines.match(/\*/g) ?? []).length);
});
