/** Bounds on Markdown that a renderer and the editor share: `bounds.ts` says why there are some. */

/** Of a piece of text in which inline elements are looked for: one that crosses its end is text. */
const PIECE_CHARACTERS = 4000;
const PIECE_MARKS = 200;
/** Characters that may begin or end an inline element. */
const MARK = /[*_~=`[\]<$\\@!|&]/g;
/** Blocks within blocks within … */
export const MAX_DEPTH = 32;

/** The pieces of a paragraph, each with its inline elements. */
export function piecesOf(source: string): string[] {
  const pieces: string[] = [];
  let rest = source;
  for (let end = pieceLength(rest); end < rest.length; end = pieceLength(rest)) {
    pieces.push(rest.slice(0, end));
    rest = rest.slice(end);
  }
  return [...pieces, rest];
}

/** Ends behind a line break or a space, if there is one. */
function pieceLength(text: string): number {
  let end = Math.min(text.length, PIECE_CHARACTERS);
  let marks = 0;
  MARK.lastIndex = 0;
  for (let found = MARK.exec(text); found && found.index < end; found = MARK.exec(text))
    if (++marks > PIECE_MARKS) end = found.index;
  if (end === text.length) return end;
  const part = text.slice(0, end);
  const space = Math.max(part.lastIndexOf("\n"), part.lastIndexOf(" ")) + 1;
  if (space > end / 2) return space;
  return /[\ud800-\udbff]$/.test(part) ? end - 1 : end;
}
