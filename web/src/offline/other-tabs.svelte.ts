/** What other tabs of this browser have of the notes, and the server does not. */

import type { Id } from "../api/types.ts";
import type { Draft } from "./store.ts";

export class OtherTabs {
  drafts = $state.raw<Draft[]>([]);

  /** Notes on their way into the trash. */
  get going(): Id[] {
    return this.drafts.flatMap(({ base, move }) => (base && move?.to === "trash" ? [base.id] : []));
  }

  find(id: Id): Draft | undefined {
    return this.drafts.find(({ base }) => base?.id === id);
  }
}
