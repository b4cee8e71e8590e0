import { expect, it } from "vitest";

import { BLANK } from "../../api/note-fields.ts";
import { withDraft } from "./draft-overlay.ts";

const row = {
  ...BLANK,
  aliases: [],
  id: "n1",
  title: "List",
  preview: "milk",
  version: 3,
  created_at: "2026-01-01T00:00:00Z",
  updated_at: "2026-01-02T00:00:00Z",
  updated_by: { kind: "user" as const },
};

it("shows a row as it is draft here, in the place where the server has it", () => {
  const draft = {
    ...BLANK,
    title: " Shopping ",
    body: "# Today\n- [ ] oat milk",
    tags: ["food"],
    pinned: true,
  };
  expect(withDraft(row, draft)).toEqual({
    ...row,
    title: "Shopping",
    preview: "Today oat milk",
    tags: ["food"],
    pinned: true,
  });
  expect(withDraft(row, { ...draft, title: " " }).title).toBe("List");
  expect(withDraft(row, null)).toBe(row);
});
