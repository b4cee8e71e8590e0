/** A new user's first note, which introduces Inkstream. */

import { notes } from "../api/calls.ts";
import { TRASH_RETENTION_DAYS } from "../api/limits.ts";
import type { Id } from "../api/types.ts";
import { FIRST_NOTE } from "./first-note.ts";

const TIMEOUT_MS = 4_000;

const BODY = `This is a note. Click into the text and change it: it saves itself, and every window you have open shows it at once.

## Talk to your notes

Beside this note sits the **assistant**. It does what you could do yourself, with the same notes, and you see each step. It asks before it deletes, and one click undoes what an answer changed.

- Say “this note” for the one you have open, or type \`@\` to name another.
- Stop it, edit your message, or ask for another answer: nothing is lost.

## Find your way

- \`Ctrl K\` (\`⌘ K\` on a Mac) finds a note or a command,
- \`N\` begins a new note,
- \`M\` writes to the assistant,
- \`?\` shows all shortcuts.

Tags, pins, the archive and the history of this note are in the bar above it. What you delete stays in the trash for ${TRASH_RETENTION_DAYS} days.

## Try it

- [x] Open this note
- [ ] Ask the assistant to add a line here
- [ ] Open a second window and watch it change
- [ ] Delete this note when you no longer need it
`;

/** Creates it, once per user (idempotency key). Null if the server does not answer in time; the note is optional. */
export async function welcome(userId: Id): Promise<Id | null> {
  const made = notes
    .create({ title: FIRST_NOTE, body: BODY, tags: [], properties: {} }, `welcome-${userId}`)
    .then(
      ({ id }) => id,
      () => null,
    );
  const late = new Promise<null>((resolve) => setTimeout(() => resolve(null), TIMEOUT_MS));
  return await Promise.race([made, late]);
}
