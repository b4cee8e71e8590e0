/** Files and folders that a person chose or dropped. */

export interface PickedFile {
  /** Within the folder's parent: `vault/ideas/talk.md`. */
  path: string;
  file: File;
}

/** What programs keep for themselves: `.git`, `.obsidian`, `.DS_Store`. */
const HIDDEN = /(^|\/)\./;

/** What was picked with the folder chooser. */
export function filesInFolder(files: Iterable<File>): PickedFile[] {
  return [...files]
    .map((file) => ({ path: file.webkitRelativePath || file.name, file }))
    .filter(({ path }) => !HIDDEN.test(path));
}

/** What was dropped, if a folder is among it; null where it is files alone. To be called while the event is handled. */
export function droppedFiles(items: Iterable<DataTransferItem>): Promise<PickedFile[]> | null {
  const entries = [...items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  if (!entries.some((entry) => entry.isDirectory)) return null;
  return Promise.all(entries.map(walk)).then((found) => found.flat());
}

async function walk(entry: FileSystemEntry): Promise<PickedFile[]> {
  const path = entry.fullPath.replace(/^\//, "");
  if (HIDDEN.test(path)) return [];
  if (entry.isFile) return [{ path, file: await fileOf(entry as FileSystemFileEntry) }];
  const found = await Promise.all((await within(entry as FileSystemDirectoryEntry)).map(walk));
  return found.flat();
}

const fileOf = (entry: FileSystemFileEntry) => new Promise<File>((done, failed) => entry.file(done, failed));

/** A browser tells them some at a time, and nothing once it has told all. */
async function within(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((done, failed) => reader.readEntries(done, failed));
    if (some.length === 0) return all;
    all.push(...some);
  }
}
