/** The differences between two texts, word by word, with long unchanged ranges folded. */

import { diffLines, diffWordsWithSpace, type ChangeObject } from "diff";

export interface DiffSegment {
  kind: "same" | "in" | "out" | "folded";
  text: string;
}

const LONGEST_MS = 400;
/** Unchanged lines that are shown on each side of a change. */
const AROUND = 3;
const WORTH_FOLDING = 8;

/** In order. Joined, the texts of all segments but "in" are `before`, and those of all but "out" are `after`. */
export function differences(before: string, after: string): DiffSegment[] {
  const changes =
    diffWordsWithSpace(before, after, { timeout: LONGEST_MS }) ??
    diffLines(before, after, { timeout: LONGEST_MS }) ??
    replaced(before, after);
  const segments = changes.map(({ value, added, removed }): DiffSegment => {
    return { kind: added ? "in" : removed ? "out" : "same", text: value };
  });
  return segments.flatMap((segment, index) =>
    segment.kind === "same" ? folded(segment.text, index > 0, index < segments.length - 1) : [segment],
  );
}

// fallback for two long texts with little in common, for which the diff takes too long
function replaced(before: string, after: string): ChangeObject<string>[] {
  return [
    { value: before, removed: true, added: false, count: 1 },
    { value: after, removed: false, added: true, count: 1 },
  ];
}

/** Splits an unchanged range: lines near a change are shown, the rest is one folded segment. */
function folded(text: string, changeBefore: boolean, changeBehind: boolean): DiffSegment[] {
  const lines = text.split(/(?<=\n)/);
  const head = changeBefore ? AROUND : 0;
  const tail = changeBehind ? AROUND : 0;
  if (lines.length - head - tail < WORTH_FOLDING) return [{ kind: "same", text }];
  const end = lines.length - tail;
  const segments: DiffSegment[] = [
    { kind: "same", text: lines.slice(0, head).join("") },
    { kind: "folded", text: lines.slice(head, end).join("") },
    { kind: "same", text: lines.slice(end).join("") },
  ];
  return segments.filter((segment) => segment.text);
}
