/** Wiki links, `[[title]]` and `[[title|label]]`: links from one note to another by its title. */

export interface WikiLink {
  title: string;
  shown: string;
  /** The source text. */
  raw: string;
}

// no brackets or line breaks inside; in a table the bar is escaped by a backslash
const LINK = /^\[\[([^[\]|\n]+?)(?:\\?\|([^[\]\n]+))?\]\]/;

/** The link at the beginning of `text`, or null. */
export function wikiLinkAt(text: string): WikiLink | null {
  const [raw, title, shown] = LINK.exec(text) ?? [];
  if (!raw || !title?.trim()) return null;
  return { raw, title: title.trim(), shown: shown?.trim() || title.trim() };
}

/** The title as links compare it: without case and accents. */
export function folded(title: string): string {
  return title
    .normalize("NFD")
    .replace(/[\u0300-\u036f]/g, "")
    .toLowerCase()
    .trim();
}
