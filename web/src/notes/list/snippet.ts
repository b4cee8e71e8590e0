/** Parses a search result's snippet, which is HTML: `<mark>` is kept, and everything else is text. */

export interface SnippetSegment {
  text: string;
  marked: boolean;
}

const ENTITIES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', "#x27": "'" };

export function snippetSegments(html: string): SnippetSegment[] {
  let marked = false;
  const found: SnippetSegment[] = [];
  for (const part of html.split(/(<\/?mark>)/)) {
    const text = unescaped(part);
    if (part === "<mark>" || part === "</mark>") marked = part === "<mark>";
    else if (text) found.push({ text, marked });
  }
  return found;
}

/** The words that the snippet marks. */
export function foundWords(html: string): string[] {
  return snippetSegments(html).flatMap(({ text, marked }) => (marked ? [text] : []));
}

/** Inline Markdown syntax, which is left out of snippets. */
const MARKS = /\*{2,}|~~|`|\[\[|\]\]/g;

function unescaped(text: string): string {
  return text
    .replace(MARKS, "")
    .replace(/&(amp|lt|gt|quot|#x27);/g, (whole, name: string) => ENTITIES[name] ?? whole);
}
