/** A note's version history: the list of versions, and the two that are compared. */

import { notes as calls } from "../../api/calls.ts";
import { explain } from "../../api/http.ts";
import type { Id, Revision, RevisionSummary } from "../../api/types.ts";

export class History {
  versions = $state.raw<RevisionSummary[]>([]);
  nextCursor = $state<string | null>(null);
  loading = $state(true);
  error = $state<string | null>(null);
  /** The selected version; null until one is loaded. */
  shown = $state.raw<Revision | null>(null);
  /** The version it is compared with; null for the first version. */
  against = $state.raw<Revision | null>(null);
  /** The version that the user chose to compare with; null for the previous version. */
  #chosen: number | null = null;
  #whole = new Map<number, Promise<Revision>>();
  #id: Id;

  constructor(id: Id) {
    this.#id = id;
  }

  /** Loads the newest versions. If the newest one was selected, selects the new newest one. */
  async load(): Promise<void> {
    try {
      const page = await calls.revisions(this.#id, null);
      const following = !this.shown || this.shown.version === this.versions[0]?.version;
      this.versions = page.revisions;
      this.nextCursor = page.next_cursor ?? null;
      this.error = null;
      const newest = page.revisions[0];
      if (newest && following) await this.show(newest.version);
    } catch (error) {
      this.error = explain(error);
    }
    this.loading = false;
  }

  async more(): Promise<void> {
    if (!this.nextCursor) return;
    try {
      const page = await calls.revisions(this.#id, this.nextCursor);
      this.versions = [...this.versions, ...page.revisions];
      this.nextCursor = page.next_cursor ?? null;
      if (this.shown && !this.against) await this.show(this.shown.version);
    } catch (error) {
      this.error = explain(error);
    }
  }

  /** Selects a version, compared with the previous one. */
  async show(version: number): Promise<void> {
    this.#chosen = null;
    await this.#compare(version, this.#before(version));
  }

  /** Compares the selected version with any other. */
  async compareWith(version: number): Promise<void> {
    if (!this.shown) return;
    this.#chosen = version;
    await this.#compare(this.shown.version, version);
  }

  async #compare(version: number, other: number | null): Promise<void> {
    const chosen = this.#chosen;
    try {
      const [shown, against] = await Promise.all([
        this.#read(version),
        other === null ? null : this.#read(other),
      ]);
      if (chosen !== this.#chosen) return;
      this.shown = shown;
      this.against = against;
      this.error = null;
    } catch (error) {
      this.error = explain(error);
    }
  }

  #before(version: number): number | null {
    return this.versions.find((one) => one.version < version)?.version ?? null;
  }

  /** Reads a version, cached: versions are immutable. */
  #read(version: number): Promise<Revision> {
    const known = this.#whole.get(version);
    if (known) return known;
    const reading = calls.revision(this.#id, version);
    this.#whole.set(version, reading);
    reading.catch(() => this.#whole.delete(version));
    return reading;
  }
}
