import { expect, test, vi } from "vitest";

import { BLANK } from "../api/note-fields.ts";
import { DraftAutosave } from "./draft-autosave.svelte.ts";
import type { Draft } from "./store.ts";

const draft = (body: string): Omit<Draft, "tab"> => ({
  key: "d1",
  base: null,
  fields: { ...BLANK, body },
  sent: null,
});

test("fields that are stored stay so while the same are stored again, as a retry does", async () => {
  let current = draft("milk");
  const put = vi.fn(() => Promise.resolve(true));
  const autosave = new DraftAutosave({ put, drop: vi.fn() }, () => current);
  autosave.saveNow();
  await vi.waitFor(() => expect(autosave.saved).toBe(true));

  current = { ...current, held: "refused" };
  autosave.schedule();
  expect(autosave.saved).toBe(true);

  current = draft("milk and eggs");
  autosave.schedule();
  expect(autosave.saved).toBe(false);
  await vi.waitFor(() => expect(autosave.saved).toBe(true));
  expect(put).toHaveBeenLastCalledWith(current);
});

test("fields of another tab's draft count as stored", () => {
  const autosave = new DraftAutosave({ put: vi.fn(), drop: vi.fn() }, () => taken);
  const taken = draft("milk");
  autosave.takenOver();
  expect(autosave.saved).toBe(true);
});
