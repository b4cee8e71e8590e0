/** Packs a folder's text files into one zip, with their paths and dates. */

import { Zip, ZipDeflate } from "fflate";

import type { PickedFile } from "./file-drop.ts";

/** The date for files without a valid one; without it, the library would store the current time. */
const NO_DATE = new Date(1980, 0, 1);
const TEXT = /\.(md|markdown|txt)$/i;

/** The folder's text files as a zip (null if there are none), and the paths of its other files. */
export async function zipped(picked: PickedFile[]): Promise<{ zip: File | null; others: string[] }> {
  const texts = picked.filter(({ path }) => TEXT.test(path));
  const others = picked.filter(({ path }) => !TEXT.test(path)).map(({ path }) => path);
  return { zip: texts.length > 0 ? await pack(texts) : null, others };
}

async function pack(texts: PickedFile[]): Promise<File> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const [folder = "folder"] = (texts[0]?.path ?? "").split("/");
  const zip = new Zip((error, data) => {
    if (error) throw error;
    parts.push(new Uint8Array(data));
  });
  for (const { path, file } of texts) {
    const entry = new ZipDeflate(path, { level: 6 });
    entry.mtime = dated(file.lastModified);
    zip.add(entry);
    entry.push(new Uint8Array(await file.arrayBuffer()), true);
  }
  zip.end();
  return new File(parts, `${folder}.zip`, { type: "application/zip" });
}

/** Zip files can store the years from 1980 to 2099. */
function dated(time: number): Date {
  const date = new Date(time);
  const year = date.getFullYear();
  return year >= 1980 && year < 2100 ? date : NO_DATE;
}
