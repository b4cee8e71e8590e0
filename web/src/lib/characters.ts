/** Lengths of text as the server counts them: in code points. `length` counts UTF-16 units, an emoji as two or more. */

export function characters(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

export function isTooLong(text: string, limit: number): boolean {
  return text.length > limit && characters(text) > limit;
}

/** The beginning of `text` that has at most `limit` characters. */
export function shortened(text: string, limit: number): string {
  return isTooLong(text, limit) ? [...text].slice(0, limit).join("") : text;
}
