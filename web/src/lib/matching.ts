/** Filters rows by the words of a typed query. */

/** The rows in which every word of `query` is a prefix of some word; those that start with the first one come first. */
export function matching<T>(all: T[], text: (one: T) => string, query: string): T[] {
  const wanted = query.toLowerCase().split(/\s+/).filter(Boolean);
  const begins = (one: T) =>
    Number(
      text(one)
        .toLowerCase()
        .startsWith(wanted[0] ?? ""),
    );
  return all
    .filter((one) => {
      const words = text(one)
        .toLowerCase()
        .split(/[\s“”"()]+/);
      return wanted.every((part) => words.some((word) => word.startsWith(part)));
    })
    .sort((a, b) => begins(b) - begins(a));
}
