import { expect, it } from "vitest";

import { snippetSegments } from "./snippet.ts";

it("keeps marks, and takes the rest as text", () => {
  expect(snippetSegments("a <mark>b &amp; c</mark> &lt;i&gt; &quot;d&#x27;s&quot;")).toEqual([
    { text: "a ", marked: false },
    { text: "b & c", marked: true },
    { text: ' <i> "d\'s"', marked: false },
  ]);
});

it("takes what should have been escaped as text too, and escapes once only", () => {
  expect(snippetSegments("<b>x</b> &amp;lt;")).toEqual([{ text: "<b>x</b> &lt;", marked: false }]);
  expect(snippetSegments("")).toEqual([]);
});

it("leaves out Markdown's marks", () => {
  expect(snippetSegments("**<mark>peas</mark>** and [[Beans]] `now`")).toEqual([
    { text: "peas", marked: true },
    { text: " and Beans now", marked: false },
  ]);
});
