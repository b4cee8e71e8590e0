/** The view model of one open note: its state for the components, and what a person can do with it. */

import type { NoteFields } from "../../api/note-fields.ts";
import type { Id, Note } from "../../api/types.ts";
import { newId } from "../../lib/ids.ts";
import type { DraftAutosave } from "../../offline/draft-autosave.svelte.ts";
import type { Draft, Held } from "../../offline/store.ts";
import { isKnownToServer, isTyped, moveTarget } from "./note-draft.ts";
import type { NoteListener } from "./note-listener.ts";
import {
  hasUnsaved,
  heldReason,
  initialSync,
  isDeletionKnown,
  type NoteSync,
  saveState,
  type SaveState,
} from "./note-sync.ts";
import { SyncDriver } from "./sync-driver.ts";

export class OpenNote implements NoteFields {
  #sync: NoteSync;
  #driver: SyncDriver;

  /** Null until a new note is created. */
  readonly id: Id | null = $derived.by(() => this.#sync.draft.base?.id ?? null);
  readonly title: string = $derived.by(() => this.#sync.draft.fields.title);
  readonly body: string = $derived.by(() => this.#sync.draft.fields.body);
  readonly tags: string[] = $derived.by(() => this.#sync.draft.fields.tags);
  readonly pinned: boolean = $derived.by(() => this.#sync.draft.fields.pinned);
  readonly archived: boolean = $derived.by(() => this.#sync.draft.fields.archived);
  // a draft of an older build has none
  readonly properties: NoteFields["properties"] = $derived.by(() => this.#sync.draft.fields.properties ?? {});
  /** The version of the server that this text is based on. */
  readonly base: Note | null = $derived.by(() => this.#sync.draft.base);
  /** The server's version, while the person has to choose between it and theirs. */
  readonly theirs: Note | null = $derived.by(() => {
    const { phase } = this.#sync;
    return phase.name === "conflict" ? phase.theirs : null;
  });
  /** In the trash, or on its way there. */
  readonly gone: boolean = $derived.by(() => this.#sync.gone);
  /** On its way into the trash, and not yet there as far as this tab knows. */
  readonly going: boolean = $derived.by(() => moveTarget(this.#sync.draft) === "trash");
  /** Grows by one when a newer version is shown or merged. */
  readonly landed: number = $derived.by(() => this.#sync.landed);
  readonly state: SaveState = $derived.by(() => saveState(this.#sync));
  /** Something is typed that `base` does not have. */
  readonly typed: boolean = $derived.by(() => isTyped(this.#sync.draft));
  /** There is something to send, or a request without an answer. */
  readonly dirty: boolean = $derived.by(() => hasUnsaved(this.#sync));
  /** Why the server does not have the note as it is here; null if it has, or will have it in a moment. */
  readonly held: Held | null = $derived.by(() => heldReason(this.#sync));
  /** The account's quota has no room for what is typed. */
  readonly full: boolean = $derived.by(() => this.#sync.full);
  /** Why the server rejected the last write or move, for the person. */
  readonly error: string | null = $derived.by(() => this.#sync.error);

  /** `draft`: what another page or tab left unsaved of it; `note` is its base then. */
  constructor(listener: NoteListener, note: Note | null = null, draft: Draft | null = null) {
    this.#sync = $state.raw(initialSync(note, draft, newId()));
    this.#driver = new SyncDriver(this.#sync, listener, (sync) => (this.#sync = sync));
    if (draft) this.autosave.takenOver();
  }

  get isNew(): boolean {
    return this.id === null;
  }

  get autosave(): DraftAutosave {
    return this.#driver.autosave;
  }

  /** The request under way, until its outcome has been handled; it never rejects. */
  get request(): Promise<void> | null {
    return this.#driver.request;
  }

  /** Takes what was typed, and saves it after a pause in the typing. */
  edit(fields: Partial<NoteFields>): void {
    this.#driver.dispatch({ type: "edited", fields });
  }

  /** Saves now. Resolves when there is nothing left to send, or it cannot be sent. */
  flush(): Promise<void> {
    return this.#driver.flush();
  }

  /** A last attempt while the page goes away. The next page sends the same write again, under the same key. */
  flushOnLeave(): void {
    this.#driver.dispatch({ type: "pageLeaving" });
  }

  /** Nothing is sent any more. The stored draft stays. */
  close(): void {
    this.#driver.dispatch({ type: "closed" });
  }

  /** Discards the unsaved changes and the stored draft. */
  discard(): void {
    this.#driver.dispatch({ type: "discarded" });
  }

  /** Writes what is typed, then moves the note into the trash. False if the server never got it: it is discarded. */
  throwAway(): boolean {
    const isKnown = isKnownToServer(this.#sync.draft);
    this.#driver.dispatch({ type: "trashRequested" });
    return isKnown;
  }

  /** Takes the note out of the trash, or cancels a move into it that was not sent. */
  bringBack(): void {
    this.#driver.dispatch({ type: "restoreRequested" });
  }

  /** Ends a conflict with our text, on top of their version. */
  async keepMine(): Promise<void> {
    if (!this.theirs) return;
    this.#driver.dispatch({ type: "mineKept" });
    await this.flush();
  }

  /** Ends a conflict with a text made of both. */
  async keepMerged(fields: Pick<NoteFields, "title" | "body">): Promise<void> {
    if (!this.theirs) return;
    this.#driver.dispatch({ type: "mergeKept", fields });
    await this.flush();
  }

  /** Ends a conflict with their version. Ours is given up. */
  takeTheirs(): void {
    this.#driver.dispatch({ type: "theirsTaken" });
  }

  /** A newer version. What is typed is merged into it; if both changed the same place, there is a conflict. */
  arrived(note: Note): void {
    this.#driver.dispatch({ type: "noteArrived", note });
  }

  /** Someone moved the note into the trash. False if more has changed, and it has to be read from the server. */
  deletedElsewhere(version: number): boolean {
    const isKnown = isDeletionKnown(this.#sync, version);
    this.#driver.dispatch({ type: "trashedElsewhere", version, at: new Date().toISOString() });
    return isKnown;
  }
}
