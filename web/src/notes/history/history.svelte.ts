/** A note's versions: which there are, and the two that are compared. */

import { notes as calls } from "../../api/calls.ts";
import { explain } from "../../api/http.ts";
import type { Id, Revision, RevisionSummary } from "../../api/types.ts";

export class History {
  versions = $state.raw<RevisionSummary[]>([]);
  nextCursor = $state<string | null>(null);
  loading = $state(true);
  error = $state<string | null>(null);
  /** The version that is looked at; null before there is any. */
  shown = $state.raw<Revision | null>(null);
  /** The version it is compared with; null for the very first. */
  against = $state.raw<Revision | null>(null);
  /** A comparison that the person chose; else it is the version before. */
  #chosen: number | null = null;
  #whole = new Map<number, Promise<Revision>>();
  #id: Id;

  constructor(id: Id) {
    this.#id = id;
  }

  /** From the newest; what is looked at stays, if the newest was not. */
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

  /** Looks at a version, compared with the one before it. */
  async show(version: number): Promise<void> {
    this.#chosen = null;
    await this.#compare(version, this.#before(version));
  }

  /** Compares what is looked at with any other version. */
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

  /** A version never changes once it is there. */
  #read(version: number): Promise<Revision> {
    const known = this.#whole.get(version);
    if (known) return known;
    const reading = calls.revision(this.#id, version);
    this.#whole.set(version, reading);
    reading.catch(() => this.#whole.delete(version));
    return reading;
  }
}
