import { expect, test } from "vitest";

import { notes } from "../../../markdown/note-dialect.ts";
import { offerPicture } from "./pictures.ts";

function rendered(text: string): HTMLElement {
  const page = document.createElement("div");
  page.innerHTML = notes.render(notes.lex(text));
  for (const link of page.querySelectorAll<HTMLAnchorElement>("a.image-link")) offerPicture(link, new Set());
  return page;
}

test("a picture with an invalid address shows a message, and the ones after it are offered", () => {
  const broken = [
    "img.png",
    "../img.png",
    "https://[",
    "https://",
    "http:",
    "data:image/png;base64,x",
    "a b.png",
  ];
  for (const address of broken) {
    const page = rendered(`![broken](<${address}>)\n\n![whole](https://pictures.example/whole.png)`);
    expect(page.textContent, address).toContain("broken");
    expect(page.querySelectorAll("button"), address).toHaveLength(1);
    expect(page.querySelector("button")?.title, address).toBe("https://pictures.example/whole.png");
  }
});

test("a picture without a secure connection stays a link", () => {
  const link = rendered("![plain](http://pictures.example/plain.png)").querySelector("a");
  expect(link?.getAttribute("href")).toBe("http://pictures.example/plain.png");
  expect(link?.className).toBe("");
});
