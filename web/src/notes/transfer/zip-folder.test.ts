// @vitest-environment node
import { strFromU8, unzipSync } from "fflate";
import { expect, it } from "vitest";

import { droppedFiles, filesInFolder } from "./file-drop.ts";
import { zipped } from "./zip-folder.ts";

const picked = (path: string, text = path) => ({
  path,
  file: new File([text], path.split("/").at(-1) ?? ""),
});

/** The names in the local file headers. */
function yearsIn(zip: Uint8Array): number[] {
  const view = new DataView(zip.buffer);
  const starts = [...zip.keys()].filter(
    (at) => at + 30 < zip.length && view.getUint32(at, true) === 0x04034b50,
  );
  return starts.map((at) => (view.getUint16(at + 12, true) >> 9) + 1980);
}

it("a folder becomes one zip of its text files with their paths; other files are listed", async () => {
  const { zip, others } = await zipped([
    picked("vault/a.md", "# A"),
    picked("vault/deep/é.markdown", "é"),
    picked("vault/cat.png"),
  ]);
  expect(others).toEqual(["vault/cat.png"]);
  expect(zip?.name).toBe("vault.zip");
  const found = unzipSync(new Uint8Array((await zip?.arrayBuffer()) ?? new ArrayBuffer()));
  expect(Object.entries(found).map(([path, data]) => [path, strFromU8(data)])).toEqual([
    ["vault/a.md", "# A"],
    ["vault/deep/é.markdown", "é"],
  ]);
});

it("files whose date a zip cannot store are included without it", async () => {
  const dates = [0, Date.UTC(2024, 5, 6, 12), Date.UTC(2150, 0, 1), Number.NaN];
  const files = dates.map((lastModified, at) => ({
    path: `vault/${at}.md`,
    file: Object.defineProperty(new File(["x"], `${at}.md`), "lastModified", { value: lastModified }),
  }));
  const { zip } = await zipped(files);
  const bytes = new Uint8Array((await zip?.arrayBuffer()) ?? new ArrayBuffer());
  expect(Object.keys(unzipSync(bytes))).toHaveLength(4);
  expect(yearsIn(bytes)).toEqual([1980, 2024, 1980, 1980]);
});

it("a folder without text files becomes no zip", async () => {
  expect(await zipped([picked("vault/cat.png")])).toEqual({ zip: null, others: ["vault/cat.png"] });
});

it("hidden files are left out of a chosen folder", () => {
  const file = (path: string) => Object.assign(new File([""], "x.md"), { webkitRelativePath: path });
  const paths = filesInFolder([file("vault/x.md"), file("vault/.obsidian/x.md"), file("vault/.x.md")]).map(
    (one) => one.path,
  );
  expect(paths).toEqual(["vault/x.md"]);
});

it("a dropped folder is read completely, in whatever batches the browser returns", async () => {
  const fileEntry = (fullPath: string) => ({
    isFile: true,
    isDirectory: false,
    fullPath,
    file: (done: (file: File) => void) => done(new File([fullPath], "x")),
  });
  const folder = (fullPath: string, ...batches: unknown[][]) => ({
    isFile: false,
    isDirectory: true,
    fullPath,
    createReader: () => ({ readEntries: (done: (some: unknown[]) => void) => done(batches.shift() ?? []) }),
  });
  const item = (entry: unknown) => ({ webkitGetAsEntry: () => entry }) as unknown as DataTransferItem;
  const vault = folder(
    "/vault",
    [fileEntry("/vault/a.md"), folder("/vault/.git", [fileEntry("/vault/.git/x.md")])],
    [folder("/vault/deep", [fileEntry("/vault/deep/b.md")])],
  );
  const found = await droppedFiles([item(vault), item(fileEntry("/c.md"))]);
  expect(found?.map((one) => one.path)).toEqual(["vault/a.md", "vault/deep/b.md", "c.md"]);
  expect(droppedFiles([item(fileEntry("/c.md"))])).toBeNull();
});
