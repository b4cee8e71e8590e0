import { beforeEach, describe, expect, it } from "vitest";

import { ChatDrafts, forgetDrafts } from "./drafts.ts";

const later = (user = "u1") => new ChatDrafts(user);

beforeEach(() => localStorage.clear());

describe("what is typed to the assistant", () => {
  it("is there again later, in its conversation, for its person", () => {
    later().type("c1", "half a thou");
    expect(later().of("c1")).toBe("half a thou");
    expect(later().of("c2")).toBe("");
    expect(later("u2").of("c1")).toBe("");
    later().type("c1", "");
    expect(later().of("c1")).toBe("");
  });

  it("is the same message when it is sent again, as long as nobody knows whether it arrived", () => {
    const first = later().send(null, "Tell a story");
    expect(later().of(null)).toBe("Tell a story");
    expect(later().send(null, "Tell a story")).toBe(first);
    expect(later().send(null, "Tell another story")).not.toBe(first);
  });

  it("is another message once the first has arrived", () => {
    const first = later().send("c1", "yes");
    later().sent("c1");
    expect(later().of("c1")).toBe("");
    expect(later().send("c1", "yes")).not.toBe(first);
  });

  it("goes with a sign-out, and with no other", () => {
    later("u1").type("c1", "mine");
    later("u2").send(null, "theirs");
    forgetDrafts("u1");
    expect(later("u1").of("c1")).toBe("");
    expect(later("u2").of(null)).toBe("theirs");
  });
});
