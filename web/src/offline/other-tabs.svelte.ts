/** Drafts in other tabs of this browser that are not synced to the server. */

import type { Id } from "../api/types.ts";
import type { Draft } from "./store.ts";

export class OtherTabs {
  drafts = $state.raw<Draft[]>([]);

  /** Notes with a pending move to the trash. */
  get going(): Id[] {
    return this.drafts.flatMap(({ base, move }) => (base && move?.to === "trash" ? [base.id] : []));
  }

  find(id: Id): Draft | undefined {
    return this.drafts.find(({ base }) => base?.id === id);
  }
}
