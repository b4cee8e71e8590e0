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

const NO_ADDRESS_OF_NOTE = /^(?:[a-z][a-z0-9+.-]*:|[/#?\\]|$)/i;

/**
 * The destination of a Markdown link to a file beside the note, such as `../Other.md`, in the form in which it stands for
 * a title: it begins with `./` or `../`. Null if it leads elsewhere.
 */
export function relativeAddress(href: string): string | null {
  if (NO_ADDRESS_OF_NOTE.test(href.trim())) return null;
  return /^\.\.?\//.test(href) ? href : `./${href}`;
}

/** The link as the server takes it, for a title or the address of a file beside the note. */
export function writtenLink(title: string): string {
  return /^\.\.?\//.test(title) ? title : `[[${title}]]`;
}

/** What the note of a link is called, without the heading or block in it. */
export function noteName(title: string): string {
  if (!/^\.\.?\//.test(title)) return title.replace(/(?<=.)(?:#\^?|\^)[^#^]+$/, "");
  const path = title.replace(/#.*$/, "").replace(/^(?:\.\.?\/)+/, "");
  const name = path.replace(/\.(?:md|markdown|txt|html)$/i, "");
  try {
    return decodeURIComponent(name);
  } catch {
    return name; // a percent sign that encodes nothing
  }
}
