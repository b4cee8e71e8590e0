import { describe, expect, it } from "vitest";

import { htmlToMarkdown } from "./html-to-markdown.ts";

describe("pasted HTML", () => {
  it.each([
    ["<h2>Plan</h2><p>one <strong>two</strong> <em>three</em></p>", "## Plan\n\none **two** *three*"],
    ["<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>", "- a\n- b\n  - c"],
    ["<ol><li>a</li><li>b</li></ol>", "1. a\n2. b"],
    ['<ol start="9"><li>a</li><li><p>b</p><p>c</p></li></ol>', "9. a\n10. b\n\n    c"],
    ['<ul><li><input type="checkbox" checked> done</li></ul>', "- [x] done"],
    ['<a href="https://example.org/a_b">site</a>', "[site](https://example.org/a_b)"],
    ['<a href="/wiki/Ink">Ink</a> and <a href="javascript:alert(1)">no</a>', "Ink and no"],
    ["<del>gone</del>", "~~gone~~"],
    ["<pre><code>a = 1\nb = 2</code></pre>", "```\na = 1\nb = 2\n```"],
    ["<blockquote><p>said</p></blockquote>", "> said"],
    ['<b style="font-weight:normal"><p>plain</p></b>', "plain"],
    ["<script>alert(1)</script><style>p{}</style><p>words</p>", "words"],
    ['<img src="https://example.org/a.png" alt="a cat">', "![a cat](https://example.org/a.png)"],
    ['<img src="data:image/png;base64,AAAA" alt="a cat">', "a cat"],
    ["<p>2 * 3 [x] _y_</p>", "2 \\* 3 \\[x\\] \\_y\\_"],
  ])("%s is Markdown", (html, markdown) => {
    expect(htmlToMarkdown(html)).toBe(markdown);
  });

  it("keeps tables", () => {
    const table =
      "<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>1</td><td>2 | 3</td></tr></tbody></table>";
    expect(htmlToMarkdown(table).replace(/ +/g, " ")).toBe("| a | b |\n| --- | --- |\n| 1 | 2 \\| 3 |");
  });
});
