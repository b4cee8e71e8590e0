import { expect, it } from "vitest";

import { snippetSegments } from "./snippet.ts";

it("marks are kept, and the rest is text", () => {
  expect(snippetSegments("a <mark>b &amp; c</mark> &lt;i&gt; &quot;d&#x27;s&quot;")).toEqual([
    { text: "a ", marked: false },
    { text: "b & c", marked: true },
    { text: ' <i> "d\'s"', marked: false },
  ]);
});

it("markup that should have been escaped is text as well, and entities are decoded once only", () => {
  expect(snippetSegments("<b>x</b> &amp;lt;")).toEqual([{ text: "<b>x</b> &lt;", marked: false }]);
  expect(snippetSegments("")).toEqual([]);
});

it("Markdown's syntax characters are left out", () => {
  expect(snippetSegments("**<mark>peas</mark>** and [[Beans]] `now`")).toEqual([
    { text: "peas", marked: true },
    { text: " and Beans now", marked: false },
  ]);
});
