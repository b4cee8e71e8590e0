/** The cells of a Markdown table's rows. */

export interface Cell {
  /** Where its text begins and ends in the row, without the blanks around it. */
  from: number;
  to: number;
}

/** The cells of a row. A bar behind a backslash is text. */
export function cellsOf(row: string): Cell[] {
  const bars: number[] = [];
  for (let at = 0; at < row.length; at++) {
    if (row[at] === "\\") at++;
    else if (row[at] === "|") bars.push(at);
  }
  const edges = [
    ...(row.trimStart().startsWith("|") ? [] : [-1]),
    ...bars,
    ...(bars.length > 0 && row.slice((bars.at(-1) ?? 0) + 1).trim() === "" ? [] : [row.length]),
  ];
  return edges.slice(1).map((end, index) => {
    const start = (edges[index] ?? 0) + 1;
    const text = row.slice(start, end);
    const from = start + text.length - text.trimStart().length;
    if (text.trim() === "") return { from: Math.min(start + 1, end), to: Math.min(start + 1, end) };
    return { from, to: from + text.trim().length };
  });
}

/** Whether a row says how the columns are aligned. */
export const isDelimiter = (row: string): boolean =>
  /^\s*\|?(?:\s*:?-+:?\s*\|)*\s*:?-+:?\s*\|?\s*$/.test(row);

/** Characters that take two columns in a font of fixed width. */
const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/g;
const widthOf = (text: string) => [...text].length + (text.match(WIDE)?.length ?? 0);
const MIN_WIDTH = 3;

/**
 * The rows with their bars below each other. The second one is the delimiter row; shorter rows get the cells that they
 * lack.
 */
export function aligned(rows: string[]): string[] {
  const texts = rows.map((row) => cellsOf(row).map(({ from, to }) => row.slice(from, to)));
  const columns = texts[0]?.length ?? 0;
  const widths = Array.from({ length: Math.max(0, ...texts.map((row) => row.length)) }, (_, column) =>
    Math.max(MIN_WIDTH, ...texts.filter((_, row) => row !== 1).map((row) => widthOf(row[column] ?? ""))),
  );
  const marks = texts[1] ?? [];
  return texts.map((row, index) => {
    const cells = Array.from({ length: Math.max(columns, row.length) }, (_, column) => {
      const [text, width, mark] = [row[column] ?? "", widths[column] ?? MIN_WIDTH, marks[column] ?? ""];
      if (index === 1) return delimiter(mark, width);
      const room = width - widthOf(text);
      const before = /^:-+:$/.test(mark) ? Math.floor(room / 2) : /-:$/.test(mark) ? room : 0;
      return " ".repeat(before) + text + " ".repeat(room - before);
    });
    return `| ${cells.join(" | ")} |`;
  });
}

function delimiter(mark: string, width: number): string {
  const [start, end] = [mark.startsWith(":") ? ":" : "", mark.endsWith(":") ? ":" : ""];
  return start + "-".repeat(width - start.length - end.length) + end;
}
