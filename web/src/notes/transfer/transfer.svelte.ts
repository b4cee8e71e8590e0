/** The import of files: the upload, and the server's progress. It continues when its dialog is closed. */

import { createContext } from "svelte";

import { notes as calls } from "../../api/calls.ts";
import { explain, isPassing } from "../../api/http.ts";
import type { Id, ImportStatus } from "../../api/types.ts";
import { backoffDelay, sleep } from "../../lib/backoff.ts";
import type { PickedFile } from "./file-drop.ts";

const LOOK_EVERY_MS = 1000;

export class Transfer {
  uploading = $state(false);
  /** The progress; null until the files are uploaded. */
  status = $state.raw<ImportStatus | null>(null);
  error = $state<string | null>(null);
  /** Files of a folder that are not text and were not uploaded. */
  others = $state.raw<string[]>([]);
  #id: Id | null = null;
  #finished: (status: ImportStatus) => void;
  #stopped = new AbortController();

  /** `finished` is called at the end of an import. */
  constructor(finished: (status: ImportStatus) => void) {
    this.#finished = finished;
  }

  get busy(): boolean {
    return this.uploading || (this.status !== null && !isOver(this.status));
  }

  async take(files: File[]): Promise<void> {
    if (files.length > 0) await this.#import(() => Promise.resolve(files));
  }

  async takeFolder(picked: PickedFile[] | Promise<PickedFile[]>): Promise<void> {
    await this.#import(async () => {
      const { zipped } = await import("./zip-folder.ts");
      const { zip, others } = await zipped(await picked);
      this.others = others;
      if (!zip) this.error = "There is no Markdown or text file in this folder.";
      return zip ? [zip] : [];
    });
  }

  async #import(read: () => Promise<File[]>): Promise<void> {
    if (this.busy) return;
    this.error = null;
    this.status = null;
    this.others = [];
    this.uploading = true;
    try {
      const files = await read();
      if (files.length > 0) this.#id = (await calls.import(files)).import_id;
      this.uploading = false;
      if (files.length > 0 && this.#id) await this.#follow(this.#id);
    } catch (error) {
      this.error = explain(error);
    }
    this.uploading = false;
  }

  /** Progress announced over the WebSocket, between two polls. */
  progress(importId: Id, processed: number, total: number): void {
    if (importId !== this.#id || !this.status || isOver(this.status)) return;
    if (processed >= this.status.processed) this.status = { ...this.status, processed, total };
  }

  stop(): void {
    this.#stopped.abort();
  }

  async #follow(id: Id): Promise<void> {
    for (let failures = 0; !this.#stopped.signal.aborted;) {
      try {
        const now = await calls.importStatus(id);
        // more progress may have been announced since the request was sent
        const processed = Math.max(now.processed, this.status?.processed ?? 0);
        this.status = { ...now, processed };
        failures = 0;
        if (isOver(this.status)) return this.#finished(this.status);
      } catch (error) {
        if (!isPassing(error)) throw error;
        failures += 1;
      }
      await sleep(failures ? backoffDelay(failures) : LOOK_EVERY_MS, this.#stopped.signal);
    }
  }
}

function isOver(status: ImportStatus): boolean {
  return status.status === "completed" || status.status === "failed";
}

/** “3 new, 1 changed, 2 already here”. */
export function outcome({ created, updated, unchanged }: ImportStatus): string {
  const parts = [
    created > 0 ? `${created.toLocaleString()} new` : "",
    updated > 0 ? `${updated.toLocaleString()} changed` : "",
    unchanged > 0 ? `${unchanged.toLocaleString()} already here` : "",
  ].filter(Boolean);
  return parts.length > 0 ? parts.join(", ") : "no notes";
}

/** The import of this page. */
export const [getTransfer, setTransfer] = createContext<Transfer>();
