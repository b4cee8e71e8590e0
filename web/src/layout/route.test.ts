import { afterEach, describe, expect, it } from "vitest";

import { Route } from "./route.svelte.ts";

function at(address: string): Route {
  history.replaceState(null, "", address);
  return new Route();
}

const shown = ({ view, note, chat }: Route) => ({ view, note, chat });

afterEach(() => history.replaceState(null, "", "/"));

describe("the route", () => {
  it.each([
    ["/", { view: "all", note: null, chat: null }],
    ["/?note=n1&chat=c1", { view: "all", note: "n1", chat: "c1" }],
    ["/chat", { view: "chat", note: null, chat: null }],
    ["/chat?chat=c1", { view: "chat", note: null, chat: "c1" }],
    ["/notes", { view: "notes", note: null, chat: null }],
    ["/notes/n1", { view: "note", note: "n1", chat: null }],
  ])("reads %s and writes it", (address, expected) => {
    const route = at(address);
    expect(shown(route)).toEqual(expected);
    expect(route.address(route.note, route.chat)).toBe(address);
  });

  it.each(["/nothing", "/notes/n1/more", "/chat/c1", "/%E0%A4%A"])("knows nothing at %s", (address) => {
    expect(at(address).unknown).toBe(address);
  });

  it.each(["/", "/notes/", "/chat/", "/notes/n1/", "/notes/%zz"])("knows something at %s", (address) => {
    expect(at(address).unknown).toBeNull();
  });

  it("follows what is opened, and the back button", () => {
    const route = at("/?chat=c1");
    route.showNote("n1");
    expect(location.search).toBe("?note=n1&chat=c1");
    route.showChat("c2", false);
    expect(location.search).toBe("?note=n1&chat=c2");
    history.replaceState(null, "", "/?chat=c1");
    route.reread();
    expect(shown(route)).toEqual({ view: "all", note: null, chat: "c1" });
  });

  it("pushes an entry for each pane of a phone, and one for a pane and its note together", async () => {
    const route = at("/");
    const entries = history.length;
    route.showPane("note");
    route.showNote("n1");
    await Promise.resolve();
    route.showPane("chat");
    expect(history.length - entries).toBe(2);
    expect(history.state).toEqual({ pane: "chat", shelf: null });
    expect(location.search).toBe("?note=n1");
    history.replaceState({ pane: "note" }, "");
    route.reread();
    expect(route.pane).toBe("note");
  });

  it("takes one step for each thing that the user changes", async () => {
    const route = at("/");
    const entries = history.length;
    route.showShelf({ view: "notes", tag: null }); // where the visit begins is no step
    expect(history.length - entries).toBe(0);
    for (const change of [
      () => route.showNote("n1"),
      () => route.showChat("c1", true),
      () => route.showShelf({ view: "trash", tag: null }),
      () => route.showShelf({ view: "trash", tag: null }),
      () => route.showChat("c2", false),
    ]) {
      change();
      await Promise.resolve();
    }
    expect(history.length - entries).toBe(3);
    route.shelf = null;
    route.reread();
    expect(route.shelf).toEqual({ view: "trash", tag: null });
  });

  it("links from a conversation's own window to the note's own window", () => {
    expect(at("/chat?chat=c1").noteAddress("n1")).toBe("/notes/n1");
    expect(at("/?chat=c1").noteAddress("n1")).toBe("/?note=n1");
  });
});
