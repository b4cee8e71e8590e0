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

  it("keeps its request id when it is sent again before it was acknowledged", () => {
    const first = later().send(null, "Tell a story");
    expect(later().of(null)).toBe("Tell a story");
    expect(later().send(null, "Tell a story")).toBe(first);
    expect(later().send(null, "Tell another story")).not.toBe(first);
  });

  it("gets a new request id once the first message was acknowledged", () => {
    const first = later().send("c1", "yes");
    later().sent("c1");
    expect(later().of("c1")).toBe("");
    expect(later().send("c1", "yes")).not.toBe(first);
  });

  it("is deleted at the sign-out of its user only", () => {
    later("u1").type("c1", "mine");
    later("u2").send(null, "theirs");
    forgetDrafts("u1");
    expect(later("u1").of("c1")).toBe("");
    expect(later("u2").of(null)).toBe("theirs");
  });
});
