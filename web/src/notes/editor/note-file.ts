/** A note as a Markdown file. */

interface Written {
  title: string;
  body: string;
}

/** The title as a heading, and the text. A text that begins with that heading already stays as it is. */
export function asMarkdown({ title, body }: Written): string {
  const heading = `# ${title.trim() || "Untitled"}`;
  return body.trimStart().startsWith(heading) ? body : `${heading}\n\n${body}`;
}

/** Saves the note where the browser keeps downloads. */
export function downloadNote(note: Written): void {
  const url = URL.createObjectURL(new Blob([asMarkdown(note)], { type: "text/markdown;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = `${fileName(note.title)}.md`;
  link.click();
  URL.revokeObjectURL(url);
}

const NAME_CHARACTERS = 100;
const NOT_IN_NAMES = /[\\/:*?"<>|\p{Cc}]+/gu;

/** A name that every file system takes. */
export function fileName(title: string): string {
  const name = title
    .replace(NOT_IN_NAMES, " ")
    .replace(/\s+/g, " ")
    .replace(/^[. ]+|[. ]+$/g, "");
  return [...name].slice(0, NAME_CHARACTERS).join("").trim() || "Untitled";
}
