import { beforeEach, describe, expect, it } from "vitest";

import { ChatDrafts, forgetDrafts } from "./drafts.ts";

const later = (user = "u1") => new ChatDrafts(user);

beforeEach(() => localStorage.clear());

describe("a chat draft", () => {
  it("is restored later, in its conversation, for its user", () => {
    later().type("c1", "half a thou");
    expect(later().of("c1")).toBe("half a thou");
    expect(later().of("c2")).toBe("");
    expect(later("u2").of("c1")).toBe("");
    later().type("c1", "");
    expect(later().of("c1")).toBe("");
  });

  it("that is sent is kept with its request id until it is accepted", () => {
    later().type("c1", "Tell a story");
    const first = later().send("c1", "Tell a story", "n1");
    const second = later().send("c1", "And another", null);
    expect(later().of("c1")).toBe("");
    expect(later().unsent("c1")).toEqual([first, second]);
    expect(later().unsent(null)).toEqual([]);
    expect(first).toMatchObject({ text: "Tell a story", noteId: "n1", failed: false });
    later().type("c1", "typed meanwhile");
    later().keep("c1", { ...first, failed: true });
    expect(later().unsent("c1")).toEqual([{ ...first, failed: true }, second]);
    later().sent("c1", first);
    expect(later().unsent("c1")).toEqual([second]);
    expect(later().of("c1")).toBe("typed meanwhile");
  });

  it("is deleted at the sign-out of its user only", () => {
    later("u1").type("c1", "mine");
    later("u2").send(null, "theirs", null);
    forgetDrafts("u1");
    expect(later("u1").of("c1")).toBe("");
    expect(
      later("u2")
        .unsent(null)
        .map(({ text }) => text),
    ).toEqual(["theirs"]);
  });
});
