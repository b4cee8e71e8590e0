/** `[[title]]` and `[[title|what is shown]]`: links from one note to another, by its title. */

export interface WikiLink {
  title: string;
  shown: string;
  /** As it is written. */
  raw: string;
}

// neither a bracket nor a line's end within; in a table the bar has a backslash before it
const LINK = /^\[\[([^[\]|\n]+?)(?:\\?\|([^[\]\n]+))?\]\]/;

/** The link that `text` begins with; null where it does not. */
export function wikiLinkAt(text: string): WikiLink | null {
  const [raw, title, shown] = LINK.exec(text) ?? [];
  if (!raw || !title?.trim()) return null;
  return { raw, title: title.trim(), shown: shown?.trim() || title.trim() };
}

/** Case and accents do not matter in a link. */
export function folded(title: string): string {
  return title
    .normalize("NFD")
    .replace(/[\u0300-\u036f]/g, "")
    .toLowerCase()
    .trim();
}
