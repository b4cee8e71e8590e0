/** Files and folders that the user chose or dropped. */

export interface PickedFile {
  /** Relative to the folder's parent: `vault/ideas/talk.md`. */
  path: string;
  file: File;
}

/** Hidden files and folders of programs: `.git`, `.obsidian`, `.DS_Store`. */
const HIDDEN = /(^|\/)\./;

/** The files of a folder chosen in the file dialog. */
export function filesInFolder(files: Iterable<File>): PickedFile[] {
  return [...files]
    .map((file) => ({ path: file.webkitRelativePath || file.name, file }))
    .filter(({ path }) => !HIDDEN.test(path));
}

/** The dropped files, if a folder is among them; null for files alone. To be called in the event handler. */
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

/** Reads a folder's entries: browsers return them in batches, and an empty batch at the end. */
async function within(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((done, failed) => reader.readEntries(done, failed));
    if (some.length === 0) return all;
    all.push(...some);
  }
}
