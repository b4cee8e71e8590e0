/** A search result's snippet, which comes as HTML: its marks are kept, and all the rest is text. */

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

/** Markdown's marks in the middle of a line say nothing here. */
const MARKS = /\*{2,}|~~|`|\[\[|\]\]/g;

function unescaped(text: string): string {
  return text
    .replace(MARKS, "")
    .replace(/&(amp|lt|gt|quot|#x27);/g, (whole, name: string) => ENTITIES[name] ?? whole);
}
