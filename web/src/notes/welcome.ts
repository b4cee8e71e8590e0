/** A new person's first note: it explains Inkstream by being one. */

import { notes } from "../api/calls.ts";
import type { Id } from "../api/types.ts";
import { FIRST_NOTE } from "./first-note.ts";

const PATIENCE_MS = 4_000;

const BODY = `This is a note. Click into the text and change it: it saves itself, and every window you have open shows it at once.

## Talk to your notes

Beside this note sits the **assistant**. It does what you could do yourself, with the same notes, and you see each step. It asks before it deletes, and one click takes back what an answer changed.

- Say “this note” for the one you have open, or type \`@\` to name another.
- Stop it, edit your message, or ask for another answer: nothing is lost.

## Find your way

- \`Ctrl K\` (\`⌘ K\` on a Mac) finds a note or a command,
- \`N\` begins a new note,
- \`M\` writes to the assistant,
- \`?\` shows all shortcuts.

Tags, pins, the archive and the history of this note are in the bar above it. What you delete stays in the trash for 30 days.

## Try it

- [x] Open this note
- [ ] Ask the assistant to add a line here
- [ ] Open a second window and watch it change
- [ ] Delete this note when you know it all
`;

/** Makes it, once for a person however often it is asked for. Null where the server does not in time: one can do without. */
export async function welcome(userId: Id): Promise<Id | null> {
  const made = notes.create({ title: FIRST_NOTE, body: BODY, tags: [] }, `welcome-${userId}`).then(
    ({ id }) => id,
    () => null,
  );
  const late = new Promise<null>((resolve) => setTimeout(() => resolve(null), PATIENCE_MS));
  return await Promise.race([made, late]);
}
