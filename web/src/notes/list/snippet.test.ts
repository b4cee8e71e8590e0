import { expect, it } from "vitest";

import { pieces } from "./snippet.ts";

it("keeps marks, and takes the rest as text", () => {
  expect(pieces("a <mark>b &amp; c</mark> &lt;i&gt; &quot;d&#x27;s&quot;")).toEqual([
    { text: "a ", marked: false },
    { text: "b & c", marked: true },
    { text: ' <i> "d\'s"', marked: false },
  ]);
});

it("takes what should have been escaped as text too, and escapes once only", () => {
  expect(pieces("<b>x</b> &amp;lt;")).toEqual([{ text: "<b>x</b> &lt;", marked: false }]);
  expect(pieces("")).toEqual([]);
});

it("leaves out Markdown's marks", () => {
  expect(pieces("**<mark>peas</mark>** and [[Beans]] `now`")).toEqual([
    { text: "peas", marked: true },
    { text: " and Beans now", marked: false },
  ]);
});
