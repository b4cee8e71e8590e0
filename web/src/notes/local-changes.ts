/** Local changes that are not synced to the server yet: of this tab and of others. */

import { createContext } from "svelte";

import type { NoteFields } from "../api/note-fields.ts";
import type { Id } from "../api/types.ts";
import type { OtherTabs } from "../offline/other-tabs.svelte.ts";
import type { Draft } from "../offline/store.ts";
import type { OpenNotes } from "./open-notes.svelte.ts";
import type { OpenNote } from "./sync/open-note.svelte.ts";

export class LocalChanges {
  #openNotes: OpenNotes;
  #otherTabs: OtherTabs;

  constructor(openNotes: OpenNotes, otherTabs: OtherTabs) {
    this.#openNotes = openNotes;
    this.#otherTabs = otherTabs;
  }

  /** Notes of this tab with changes that are not synced. */
  get unsynced(): OpenNote[] {
    return this.#openNotes.waiting;
  }

  /** The unsynced drafts of other tabs. */
  get otherTabs(): Draft[] {
    return this.#otherTabs.drafts;
  }

  /** Notes with a pending delete: hidden already, although the server still has them. */
  get going(): Set<Id> {
    return new Set([...this.#openNotes.going, ...this.#otherTabs.going]);
  }

  /** A note's draft fields, from this or another tab; null if it has no unsynced changes. */
  draftOf(id: Id): NoteFields | null {
    const open = this.#openNotes.find(id);
    return open?.typed ? open : (this.#otherTabs.find(id)?.fields ?? null);
  }
}

/** The local changes of this browser. */
export const [getLocalChanges, setLocalChanges] = createContext<LocalChanges>();
