/** The notes that an answer changed, and what an undo does to them. */

import { toolOf, type Tool } from "../../api/tools.ts";
import type { ChangeOp, Id } from "../../api/types.ts";
import type { ToolPart } from "../runs/parts.svelte.ts";
import { noteOf } from "./tool-labels.ts";

export interface AffectedNote {
  id: Id;
  title: string;
  /** What the undo does to the note. */
  effect: string;
}

const CHANGES: Record<Tool["effect"], ChangeOp | null> = {
  reads: null,
  creates: "create",
  changes: "update",
  deletes: "delete",
};
const EFFECTS: Record<ChangeOp, string> = {
  create: "goes to the trash",
  update: "gets its earlier text back",
  delete: "comes back from the trash",
  restore: "goes back to the trash",
};
const RESULTS: Record<ChangeOp, string> = {
  create: "is back",
  update: "has its earlier text again",
  delete: "is in the trash",
  restore: "is back",
};

/** Each note once, in the order of the calls; a note that the answer created and deleted again is left out. */
export function affectedNotes(tools: ToolPart[], titleOf: (id: Id) => string | null): AffectedNote[] {
  const notes = new Map<Id, { title: string; first: ChangeOp; last: ChangeOp }>();
  for (const tool of tools) {
    const effect = toolOf(tool.name)?.effect;
    const op = effect && CHANGES[effect];
    const { id, title } = noteOf(tool, titleOf);
    if (!op || !id || tool.status !== "ok") continue;
    const before = notes.get(id);
    notes.set(id, { title: title ?? before?.title ?? "A note", first: before?.first ?? op, last: op });
  }
  return [...notes].flatMap(([id, { title, first, last }]) => {
    if (first === "create" && last === "delete") return [];
    return [{ id, title, effect: EFFECTS[first === "update" ? last : first] }];
  });
}

/** The result of the undo for a note. */
export function result(op: ChangeOp): string {
  return RESULTS[op];
}
