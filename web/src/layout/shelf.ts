/** What the notes list shows: the notes, the archive or the trash, of a tag or all. */

export interface Shelf {
  view: "notes" | "archive" | "trash";
  tag: string | null;
}

export const ALL_NOTES: Shelf = { view: "notes", tag: null };

const VIEWS = ["notes", "archive", "trash"];

/** A shelf that was stored; all notes if it is none. */
export function asShelf(stored: unknown): Shelf {
  const { view, tag } = (stored ?? {}) as Partial<Shelf>;
  if (!view || !VIEWS.includes(view)) return ALL_NOTES;
  return { view, tag: typeof tag === "string" ? tag : null };
}

export function isSameShelf(one: Shelf, other: Shelf): boolean {
  return one.view === other.view && one.tag === other.tag;
}
