/** Three-way merge of two people's changes to one text. */

import { changesBetween, type Change } from "./changes.ts";

/** A stretch of a merged text: what is sure, or both versions of a place that both changed. */
export type Stretch = { kind: "sure"; text: string } | { kind: "both"; mine: string; theirs: string };

interface Span {
  start: number;
  end: number;
}

/** Both changes of `base` in one text; null where they touch the same place. */
export function merged(base: string, mine: string, theirs: string): string | null {
  const stretches = threeWay(base, mine, theirs);
  const texts = stretches.map((stretch) => (stretch.kind === "sure" ? stretch.text : null));
  return texts.includes(null) ? null : texts.join("");
}

/** The merged text in order. A place that both changed is as wide as the lines it lies in. */
export function threeWay(base: string, mine: string, theirs: string): Stretch[] {
  if (mine === theirs) return sure(mine);
  const here = lineChanges(base, mine);
  const there = lineChanges(base, theirs);
  const [places, disputed] = settled(base, here, there);
  const stretches: Stretch[] = [];
  let at = 0;
  for (const place of places) {
    stretches.push(...sure(base.slice(at, place.start)));
    const [ours, other] = [applied(base, here, place), applied(base, there, place)];
    if (disputed.has(place)) stretches.push({ kind: "both", mine: ours, theirs: other });
    else stretches.push(...sure(changed(here, place) ? ours : other));
    at = place.end;
  }
  return joined([...stretches, ...sure(base.slice(at))]);
}

/**
 * The places that either side changed, in order, and those of them where the two do not agree. A disputed place grows
 * to whole lines, and takes in what else was changed there.
 */
function settled(base: string, here: Change[], there: Change[]): [Span[], Set<Span>] {
  let wide: Span[] = [];
  for (;;) {
    const places = touching([...here, ...there, ...wide]);
    const disputed = places.filter(
      (place) =>
        changed(here, place) &&
        changed(there, place) &&
        applied(base, here, place) !== applied(base, there, place),
    );
    const wider = disputed.map((place) => wholeLines(base, place));
    if (wider.every(({ start, end }, index) => sameSpan({ start, end }, disputed[index])))
      return [places, new Set(disputed)];
    wide = wider;
  }
}

const lineChanges = (base: string, text: string) =>
  byLine(base, changesBetween(base, text)).map((change) => widened(base, change));

/**
 * "22" made of "2" may be an insertion before the 2 or after it. A change of which the place is ambiguous covers all its
 * places, so that it touches what the other side put into any of them. Lines that were put in whole have their place.
 */
function widened(base: string, { start, end, text }: Change): Change {
  const moved = text || base.slice(start, end);
  if ((text && start !== end) || moved.includes("\n")) return { start, end, text };
  let [left, right] = [0, 0];
  while (left < start && base[start - 1 - left] === moved.at(-1 - (left % moved.length))) left += 1;
  while (end + right < base.length && base[end + right] === moved[right % moved.length]) right += 1;
  return {
    start: start - left,
    end: end + right,
    text: base.slice(start - left, start) + text + base.slice(end, end + right),
  };
}

/** Changes within one line count as one: two people in one sentence rarely mean the same sentence. */
function byLine(base: string, changes: Change[]): Change[] {
  const whole: Change[] = [];
  for (const change of changes) {
    const last = whole.at(-1);
    const between = last && base.slice(last.end, change.start);
    if (!last || between === undefined || between.includes("\n")) whole.push(change);
    else whole[whole.length - 1] = { ...last, end: change.end, text: last.text + between + change.text };
  }
  return whole;
}

// touching is not apart: two words put in at one place have no order
function touching(spans: Span[]): Span[] {
  const places: Span[] = [];
  for (const { start, end } of spans.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    const last = places.at(-1);
    if (last && start <= last.end) last.end = Math.max(last.end, end);
    else places.push({ start, end });
  }
  return places;
}

const inside = (place: Span) => (change: Change) => change.start >= place.start && change.end <= place.end;

const changed = (changes: Change[], place: Span) => changes.some(inside(place));

/** What one side made of a place of `base`. */
function applied(base: string, changes: Change[], place: Span): string {
  let text = "";
  let at = place.start;
  for (const change of changes.filter(inside(place))) {
    text += base.slice(at, change.start) + change.text;
    at = change.end;
  }
  return text + base.slice(at, place.end);
}

function wholeLines(base: string, { start, end }: Span): Span {
  const next = base.indexOf("\n", end);
  return {
    start: start === 0 ? 0 : base.lastIndexOf("\n", start - 1) + 1,
    end: next < 0 ? base.length : next,
  };
}

const sameSpan = (a: Span, b: Span | undefined) => a.start === b?.start && a.end === b.end;

const sure = (text: string): Stretch[] => (text ? [{ kind: "sure", text }] : []);

function joined(stretches: Stretch[]): Stretch[] {
  const whole: Stretch[] = [];
  for (const stretch of stretches) {
    const last = whole.at(-1);
    if (last?.kind === "sure" && stretch.kind === "sure") last.text += stretch.text;
    else whole.push({ ...stretch });
  }
  return whole;
}
