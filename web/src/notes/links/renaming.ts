/** After a note is renamed, offers to update the links to it: links go by title and would be broken otherwise. */

import { createContext } from "svelte";

import { notes as calls } from "../../api/calls.ts";
import { explain, Problem, reportUnlessRequestFailure } from "../../api/http.ts";
import { newId } from "../../lib/ids.ts";
import type { Id, Note } from "../../api/types.ts";
import type { Toasts } from "../../ui/toasts.svelte.ts";
import type { OpenNotes } from "../open-notes.svelte.ts";
import type { Notes } from "../list/notes.svelte.ts";
import type { OpenNote } from "../sync/open-note.svelte.ts";
import { Titles } from "./titles.svelte.ts";
import { folded, wikiLinkAt } from "../../markdown/wiki-link.ts";

/** Limit of the notes whose links are updated. */
const MOST = 500;
const TRIES = 4;

interface Rename {
  from: string;
  to: string;
}

export interface RenamingParts {
  notes: Notes;
  editor: { openNotes: Pick<OpenNotes, "wrote"> };
  toasts: Pick<Toasts, "say" | "offer">;
}

export class Renaming {
  #parts: RenamingParts;
  /**
   * The title when the user focused it, and the notes that linked to it then: after the rename, the server no longer has
   * these backlinks.
   */
  #before: { note: OpenNote; title: string; linking: Promise<Id[]> } | null = null;

  constructor(parts: RenamingParts) {
    this.#parts = parts;
  }

  /** The user focuses the title. */
  begin(note: OpenNote): void {
    const { base } = note;
    this.#before = base && { note, title: base.title, linking: linkingTo(base.id).catch(none) };
  }

  /** The user leaves the title: saves it, and offers to update the links if it has changed. */
  async end(note: OpenNote): Promise<void> {
    const before = this.#before;
    this.#before = null;
    await note.flush();
    if (!note.base || before?.note !== note) return;
    const rename = { from: before.title, to: note.base.title };
    const ids = await before.linking;
    if (ids.length > 0 && (await this.#leadsNowhere(rename))) this.#offer(ids, note.base.id, rename);
  }

  /** Whether no note has the old title any more, and the new title can be used in a link. */
  async #leadsNowhere({ from, to }: Rename): Promise<boolean> {
    if (folded(from) === folded(to) || wikiLinkAt(`[[${to}]]`)?.title !== to) return false;
    try {
      return (await new Titles(this.#parts.notes).find(from)) === null;
    } catch (error) {
      reportUnlessRequestFailure(error);
      return false;
    }
  }

  #offer(ids: Id[], own: Id, rename: Rename): void {
    const who = ids.length === 1 ? "1 note links" : `${ids.length} notes link`;
    this.#parts.toasts.offer(`${who} to “${rename.from}”.`, {
      label: "Update links",
      // the note may link to itself as well
      run: () => void this.#update([...ids, own], rename),
    });
  }

  async #update(ids: Id[], rename: Rename): Promise<void> {
    const { toasts, notes } = this.#parts;
    const missed: { id: Id; reason: string }[] = [];
    let done = 0;
    for (const id of ids) {
      try {
        if (await this.#relink(id, rename)) done += 1;
      } catch (error) {
        missed.push({ id, reason: explain(error) });
      }
    }
    const [first] = missed;
    const summary = `${done === 1 ? "1 note links" : `${done} notes link`} to “${rename.to}” now.`;
    if (!first) return toasts.say(summary);
    const which = missed.map(({ id }) => `“${notes.known(id)?.title ?? "a note not listed here"}”`);
    toasts.offer(`${summary} Not changed: ${which.join(", ")}. ${first.reason}`, {
      label: "Try again",
      run: () =>
        void this.#update(
          missed.map(({ id }) => id),
          rename,
        ),
    });
  }

  /** Updates one note, with retries on version conflicts. False if it has no such link any more. */
  async #relink(id: Id, { from, to }: Rename): Promise<boolean> {
    const { relinked } = await import("./relink.ts");
    for (let tries = 1; ; tries++) {
      const note = await calls.get(id);
      const body = relinked(note.body, from, to);
      if (body === note.body || note.deleted_at) return false;
      try {
        this.#wrote(await calls.update(id, note.version, { body }, newId()));
        return true;
      } catch (error) {
        const late = error instanceof Problem && error.code === "version_conflict";
        if (!late || tries === TRIES) throw error;
      }
    }
  }

  #wrote(note: Note): void {
    this.#parts.notes.wrote(note);
    this.#parts.editor.openNotes.wrote(note);
  }
}

/** The links are not offered then. */
function none(error: unknown): Id[] {
  reportUnlessRequestFailure(error);
  return [];
}

async function linkingTo(id: Id): Promise<Id[]> {
  const ids: Id[] = [];
  for (let cursor: string | null | undefined = null; cursor !== undefined && ids.length < MOST;) {
    const page = await calls.backlinks(id, cursor);
    ids.push(...page.notes.map((note) => note.id));
    cursor = page.next_cursor ?? undefined;
  }
  return ids;
}

/** Updates links when a title changes. */
export const [getRenaming, setRenaming] = createContext<Renaming>();
