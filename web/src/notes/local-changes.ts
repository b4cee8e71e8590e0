/** What this browser has of the notes and the server does not have yet: from this tab and from others. */

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

  /** Notes of this tab that the server does not have as they are here. */
  get unsynced(): OpenNote[] {
    return this.#openNotes.waiting;
  }

  /** The drafts of other tabs that the server does not have. */
  get otherTabs(): Draft[] {
    return this.#otherTabs.drafts;
  }

  /** Notes that are being deleted: they are not shown any more, whatever the server still has. */
  get going(): Set<Id> {
    return new Set([...this.#openNotes.going, ...this.#otherTabs.going]);
  }

  /** What is typed into a note in this browser, while the server has an older version; null where nothing is. */
  draftOf(id: Id): NoteFields | null {
    const open = this.#openNotes.find(id);
    return open?.typed ? open : (this.#otherTabs.find(id)?.fields ?? null);
  }
}

/** What this browser has and the server does not. */
export const [getLocalChanges, setLocalChanges] = createContext<LocalChanges>();
