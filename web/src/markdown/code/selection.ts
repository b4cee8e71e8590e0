/** Preserves the user's selection when a text node is replaced by several nodes. */

type Place = [node: Node, offset: number];

/** Replaces a text node, the only child of its element, by `pieces` with the same text. */
export function replaceKeepingSelection(text: Text, pieces: DocumentFragment): void {
  const { anchorNode, anchorOffset, focusNode, focusOffset } = getSelection() ?? {};
  const from = anchorNode ? within(text, [anchorNode, anchorOffset ?? 0]) : null;
  const to = focusNode ? within(text, [focusNode, focusOffset ?? 0]) : null;
  const inner = [...pieces.childNodes].map((piece) => piece.firstChild ?? piece);
  text.replaceWith(pieces);
  if (!anchorNode || !focusNode || (from ?? to) === null) return;
  const anchor: Place = from === null ? [anchorNode, anchorOffset ?? 0] : placeIn(inner, from);
  const focus: Place = to === null ? [focusNode, focusOffset ?? 0] : placeIn(inner, to);
  getSelection()?.setBaseAndExtent(...anchor, ...focus);
}

/** A place's offset in the text; null if it is elsewhere. */
function within(text: Text, [node, offset]: Place): number | null {
  if (node === text) return offset;
  return node === text.parentNode ? (offset > 0 ? text.length : 0) : null;
}

function placeIn(pieces: Node[], offset: number): Place {
  let rest = offset;
  for (const piece of pieces) {
    const length = piece.textContent?.length ?? 0;
    if (rest <= length) return [piece, rest];
    rest -= length;
  }
  throw new RangeError("the pieces are shorter than the text");
}
