import { describe, expect, it } from "vitest";

import { answers } from "./markdown.ts";
import { MarkdownStream, nested, type Nested } from "./markdown-stream.ts";
import { notes } from "./note-dialect.ts";
import { richText } from "./rich-text.ts";

function page(text: string, dialect = answers): HTMLElement {
  const place = document.createElement("div");
  place.innerHTML = dialect.render(dialect.lex(text));
  for (const line of place.querySelectorAll("br")) line.after(" ");
  return place;
}
const words = (text: string, dialect = answers) =>
  (page(text, dialect).textContent ?? "").replace(/\s+/g, " ").trim();
const all = (text: string, selector: string) =>
  [...page(text).querySelectorAll(selector)].map((one) => one.textContent ?? "");

describe("a tag that is no markup is text", () => {
  it.each([
    "Use a Vec<String> or a HashMap<String, Vec<u8>> here, std::vector<int> or List<T>.",
    "Put <your-api-key> here and replace <name> by <NAME>, <your_name> and <0>.",
    "ssh <user>@<host> -p <port>",
    "The tags <div> and <script> and <MyComponent> are elements.",
    "After <script> the rest is kept, and after </script> too.",
    "After <style> the rest is kept, after <textarea>, <title>, <iframe> and <noscript> as well.",
    "<script>alert(1)</script> says that.",
    "<thinking>Let me think about it.</thinking>",
    "Use the <b> tag, or the <a href='x'> tag, and <td> in a <tr>.",
    "Promise<Array<string>> and Map<K, V>, <T extends Foo<Bar>>(x: T) => void",
    "a < b > c and x <y> z, 1<2, <=> and <-, <3",
    "An <img src=x onerror=alert(1)> and an <input value='x'> in a sentence.",
    "<dependency><groupId>org.example</groupId></dependency>",
    "Close it with </b> or </div>.",
    "Result<(), Box<dyn Error>>",
    "- a Vec<String> in a list\n- <name>",
    "> quoted Vec<String>",
    "# The Option<T> type",
    "[a Vec<String> link](https://example.org)",
    "**Vec<String>** and *List<T>*",
  ])("in %j", (text) => {
    const bare = text
      .replace(/^(?:- |> |# )/gm, "")
      .replace(/\*/g, "")
      .replace(/\[(.*?)\]\(.*?\)/g, "$1")
      .replace(/\s+/g, " ");
    expect(words(text)).toBe(bare);
    expect(words(text, notes)).toBe(bare);
  });

  it("in a block of its own, and the words in it are Markdown", () => {
    const text = "<thinking>\nLet me **think**.\n\nA second one.\n</thinking>\n\nAnswer.";
    expect(words(text)).toBe("<thinking> Let me think. A second one. </thinking> Answer.");
    expect(all(text, "strong")).toEqual(["think"]);
    expect(words("<div>\n<MyComponent />\n</div>\n\nAfter")).toBe("<div> <MyComponent /> </div> After");
    expect(words("<script>\nalert(1)\n</script>\nAfter")).toBe("<script> alert(1) </script> After");
  });

  it("in a table", () => {
    expect(all("| type | of |\n|---|---|\n| Vec<T> | <name> |\n| List<b> | c |", "td")).toEqual([
      "Vec<T>",
      "<name>",
      "List<b>",
      "c",
    ]);
  });

  it("in HTML that is markup", () => {
    expect(words("<p>Use Vec<String> here</p>")).toBe("Use Vec<String> here");
    expect(words("<ul>\n<li>List<T></li>\n<li>b</li>\n</ul>")).toBe("List<T> b");
    expect(words("<kbd><name></kbd>")).toBe("<name>");
  });

  it.each([
    ["H<sub>2</sub>O and x<sup>2</sup>", "sub,sup", ["2", "2"]],
    ["Press <kbd>Ctrl</kbd>+<kbd>C</kbd>", "kbd", ["Ctrl", "C"]],
    ["a<br>b<br/>c", "br", ["", ""]],
    ["<b>bold **and**</b> <u>under</u>", "b,u", ["bold and", "under"]],
    ["| a |\n|---|\n| <ul><li>one</li><li>two</li></ul> |", "li", ["one", "two"]],
    ["<table>\n<tr><td>1</td><td>2</td></tr>\n</table>", "td", ["1", "2"]],
    ['<h2 align="center">Title</h2>', "h2[align=center]", ["Title"]],
    ['<a href="https://example.org">there</a>', "a[href]", ["there"]],
  ])("but %j is markup", (text, selector, found) => {
    expect(all(text, selector)).toEqual(found);
  });

  it("and entities stay characters", () => {
    expect(words("&lt;b&gt; &amp; &copy; AT&T")).toBe("<b> & © AT&T");
  });

  it("and a comment on its own is not shown", () => {
    expect(words("<!-- hidden -->\n\nshown")).toBe("shown");
    expect(words("Add <!-- more --> to it")).toBe("Add <!-- more --> to it");
    expect(words("<!-- never closed\n\nstill here")).toContain("still here");
  });

  it("and a link that is never closed ends no other", () => {
    expect(all('Use <a href="x"> here.\n\nSee https://example.org/x', "a")).toEqual([
      "https://example.org/x",
    ]);
  });
});

describe("a tilde by itself", () => {
  it.each([
    "Make a fix (~2000 lines) and delete the old file (~5000 lines).",
    "age(1~3), height(80~100)",
    "It takes ~3~5 minutes. First (~$1.50) and second (~$10).",
    "Home is ~/notes and ~/work~old.",
    "~a~ and ~b c~",
  ])("strikes nothing out: %j", (text) => {
    expect(words(text)).toBe(text);
    expect(all(text, "del")).toEqual([]);
  });

  it("needs a second one", () => {
    expect(all("~~Really gone~~ and ~~this ~ too~~", "del")).toEqual(["Really gone", "this ~ too"]);
  });
});

describe("emphasis beside Chinese, Japanese and Korean", () => {
  it.each([
    ["含**「重点」**内容", ["「重点」"]],
    ["**重要提示（Important Notice）：**请注意。", ["重要提示（Important Notice）："]],
    ["**日本語の文章（括弧付き）。**この文が続きます。", ["日本語の文章（括弧付き）。"]],
    ["**历经10年发展，**年", ["历经10年发展，"]],
    ["**'굵게'**는 한국어", ["'굵게'"]],
    ["这是**“引号”**的例子", ["“引号”"]],
    ["使用**`code`**来", ["code"]],
    ["**A**和**B**以及**(C)**。", ["A", "B", "(C)"]],
    ["価格は**100%**です", ["100%"]],
    ["是**《书名》**，**【注】**！", ["《书名》", "【注】"]],
    ["**注意：**在**一切**中", ["注意：", "一切"]],
    ["한국어**(강조)**입니다", ["(강조)"]],
    ["他说**“你好。”**然后走了", ["“你好。”"]],
    ["- **要点：**内容\n- **第二：**更多", ["要点：", "第二："]],
  ])("in %s", (text, strong) => {
    expect(all(text, "strong")).toEqual(strong);
    expect(words(text)).not.toContain("**");
  });

  it("in italics, and in Latin text as before", () => {
    expect(all("含*「重点」*内容", "em")).toEqual(["「重点」"]);
    expect(all("**bold**, a**b**c, **(x)** and *i*", "strong")).toEqual(["bold", "b", "(x)"]);
    expect(all('2 * 3 * 4, a ** b ** c, foo**"bar"**baz', "strong,em")).toEqual([]);
    expect(all("***both*** and **a *b* c**", "em")).toEqual(["both", "b"]);
  });
});

describe("a bare URL", () => {
  it.each([
    ["请看https://example.com/foo，谢谢。", ["https://example.com/foo"]],
    ["https://example.com/路径?q=日本語。次の文。", ["https://example.com/路径?q=日本語"]],
    ["（见https://example.com/a）", ["https://example.com/a"]],
    ["「https://example.com/a」と", ["https://example.com/a"]],
    ["“https://example.com/a”", ["https://example.com/a"]],
    ["见 www.example.com，谢谢", ["www.example.com"]],
    ["mail me@example.com。", ["me@example.com"]],
    [
      "https://a.example、https://b.example；https://c.example！",
      ["https://a.example", "https://b.example", "https://c.example"],
    ],
    [
      "(see https://example.com/a_b_c). **https://example.com/x**",
      ["https://example.com/a_b_c", "https://example.com/x"],
    ],
    ["https://en.wikipedia.org/wiki/Foo_(bar)", ["https://en.wikipedia.org/wiki/Foo_(bar)"]],
  ])("ends before punctuation: %s", (text, links) => {
    expect(all(text, "a")).toEqual(links);
  });
});

describe("a line break", () => {
  it("is one in answers", () => {
    const text = "Roses are red,\nViolets are blue,\n\nTwo spaces  \nbackslash\\\nend";
    expect(all(text, "br")).toHaveLength(3);
    expect(words(text)).toBe("Roses are red, Violets are blue, Two spaces backslash end");
    expect(page("- a\n  b\n\n> c\n> d").querySelectorAll("br")).toHaveLength(2);
  });

  it("is a space in notes", () => {
    expect(page("a\nb", notes).querySelector("br")).toBeNull();
  });
});

describe("formulas", () => {
  const inline = (text: string) => all(text, ".math");
  const display = (text: string) => all(text, ".math-display").map((one) => one.replace(/\s+/g, " "));

  it.each([
    ["Inline \\(E=mc^2\\) and $a_1 * b_1 + a_2 * b_2$ here.", ["\\(E=mc^2\\)", "$a_1 * b_1 + a_2 * b_2$"]],
    ["设$x$为实数，则$x^2\\ge 0$。", ["$x$", "$x^2\\ge 0$"]],
    ["**Note \\(a*b*c\\)** and *$x*y*z$*", ["\\(a*b*c\\)", "$x*y*z$"]],
    ["\\(x_1 < y_1\\) and \\(a \\\\ b\\)", ["\\(x_1 < y_1\\)", "\\(a \\\\ b\\)"]],
    ["$n$ items, $2n+1$, ($k$), $f(x)$.", ["$n$", "$2n+1$", "$k$", "$f(x)$"]],
    ["| f |\n|---|\n| $x^2$ |", ["$x^2$"]],
    ["$\\text{speed of light} = c$", ["$\\text{speed of light} = c$"]],
    ["$10 \\text{ km}$ and $5\\%$", ["$10 \\text{ km}$", "$5\\%$"]],
    ["\\(\\alpha\\)-decay", ["\\(\\alpha\\)"]],
    ["$\\{1, 2\\}$", ["$\\{1, 2\\}$"]],
  ])("inside a line: %s", (text, found) => {
    expect(inline(text)).toEqual(found);
    expect(all(text, ".math em, .math strong, .math del")).toEqual([]);
  });

  it.each([
    [
      "\\[\n\\begin{pmatrix}\n1 & 2 \\\\\n3 & 4\n\\end{pmatrix}\n\\]",
      ["\\[ \\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix} \\]"],
    ],
    ["$$\n\\int_0^1 f(x)\\,dx = \\frac{1}{2}\n$$", ["$$ \\int_0^1 f(x)\\,dx = \\frac{1}{2} $$"]],
    ["Then\n$$\na\n- b\n+ c\n$$\nhence", ["$$ a - b + c $$"]],
    ["It is $$x^2 + y^2$$ here", ["$$x^2 + y^2$$"]],
    ["It is \\[x^2 + y^2\\] here", ["\\[x^2 + y^2\\]"]],
    ["1. First\n   $$\n   x = 1\n   $$\n2. Second\n   \\[ y = 2 \\]", ["$$ x = 1 $$", "\\[ y = 2 \\]"]],
    ["> \\[ y = 2 \\]", ["\\[ y = 2 \\]"]],
    ["$$x = 1$$\n$$y = 2$$", ["$$x = 1$$", "$$y = 2$$"]],
    ["\\[ F = ma \\].\n\nNext", ["\\[ F = ma .\\]"]],
  ])("of their own: %j", (text, found) => {
    expect(display(text)).toEqual(found);
  });

  it.each([
    "It costs $5 and then $10, i.e. $740 for $5 million.",
    "Between $5-$10, $5/$6, ($5)–($6), US$5 and A$6, 5$ or 6$.",
    "$HOME and $PATH, $HOME:$PATH, ${A}${B}, $(x) and $(y), $AAPL,$TSLA",
    "Pay $20k–$30k, $1,000,$2,000 or $1.50/month vs. $10/year.",
    "First (~$1.50) and second (~$10).",
    "$5 or 6$ and $100 for two people$",
    "A lone $ or $$ or \\$5 and \\$6.",
    "`$x$` and `\\(y\\)` are code",
    "\\[1\\] a footnote, \\[x\\] a box, \\[note\\] a word, \\(see the next page\\)",
    "$5 *and* $6",
  ])("are not %j", (text) => {
    expect(all(text, ".math,.math-display")).toEqual([]);
    expect(words(text)).toBe(text.replace(/\\([$[\]()])(?![^`]*`[^`]*$)/g, "$1").replace(/[`*]/g, ""));
  });

  it("whose end is missing are text", () => {
    for (const text of ["$$\nx = 1", "\\[\nx = 1\n\nAfter", "Then \\(x = 1", "$$ x = 1\n\n- a\n- b"]) {
      expect(all(text, ".math,.math-display"), text).toEqual([]);
      expect(words(text), text).toContain("x = 1");
    }
    expect(all("$$ x = 1\n\n- a\n- b", "li")).toEqual(["a", "b"]);
  });

  it("keep what is HTML in them", () => {
    expect(inline("\\(a<b>c\\)")).toEqual(["\\(a<b>c\\)"]);
    expect(page("$$<img src=x onerror=alert(1)>=1$$").querySelector("img")).toBeNull();
  });
});

describe("details", () => {
  const shape = (blocks: Nested[]): unknown[] =>
    blocks.map((block) => {
      if (block.kind === "details") return { [block.summary]: shape(block.blocks) };
      return block.kind === "code" ? block.text : `${block.parts.join("")}${block.open}`.trim();
    });
  const of = (text: string) => shape(nested(new MarkdownStream().update(text)));

  it.each([
    [
      "Before\n\n<details>\n<summary>Click **here**</summary>\n\nIt is **42**.\n\n```py\nx\n```\n\n</details>\n\nAfter",
      [
        "<p>Before</p>",
        { "Click <strong>here</strong>": ["<p>It is <strong>42</strong>.</p>", "x"] },
        "<p>After</p>",
      ],
    ],
    [
      "<details>\n<summary>a</summary>\nIt is **42**.\n</details>\nAfter",
      [{ a: ["<p>It is <strong>42</strong>.</p>"] }, "<p>After</p>"],
    ],
    ["<details><summary>a</summary>text</details>\n\nAfter", [{ a: ["<p>text</p>"] }, "<p>After</p>"]],
    ["<details>\n<summary>\n  a\n</summary>\n\nb\n</details>", [{ a: ["<p>b</p>"] }]],
    ["<details>\n\nb\n\n</details>", [{ Details: ["<p>b</p>"] }]],
    [
      "<details>\n<summary>a</summary>\n\n<details>\n<summary>b</summary>\n\nc\n\n</details>\n\nd\n</details>\ne",
      [{ a: [{ b: ["<p>c</p>"] }, "<p>d</p>"] }, "<p>e</p>"],
    ],
    ["<details>\n<summary>a</summary>\n\nnot over", [{ a: ["<p>not over</p>"] }]],
    ["a\n\n</details>\n\nb", ["<p>a</p>", "<p>&lt;/details&gt;</p>", "<p>b</p>"]],
    [
      "<details> is an element, and so is <summary>.",
      ["<p>&lt;details&gt; is an element, and so is &lt;summary&gt;.</p>"],
    ],
  ])("from %j", (text, found) => {
    expect(of(text)).toEqual(found);
  });

  it("may be open, and run nothing", () => {
    const [open] = new MarkdownStream().update(
      "<details open ontoggle=alert(1)>\n<summary onclick=x>a<img src=x onerror=alert(1)></summary>\nb",
    );
    expect(open).toMatchObject({ kind: "details", open: true });
    expect(JSON.stringify(open)).not.toContain("<img");
  });

  it("in a list item are an element", () => {
    expect(
      all(
        "- a\n\n  <details>\n  <summary>b</summary>\n\n  c\n\n  </details>\n- d",
        "li > details > summary, li > details > p",
      ),
    ).toEqual(["b", "c"]);
  });
});

it("code is written from left to right", () => {
  expect(
    page("\u0645\u0631\u062d\u0628\u0627 `code()`\n\n- a\n  ```\n  b\n  ```").querySelectorAll(
      'code[dir="ltr"]',
    ),
  ).toHaveLength(2);
});

describe("rich text", () => {
  it("has the structure, and no controls", () => {
    const html = richText(
      "# Title\n\n- [x] **done**\n- [ ] [open](/notes/1)\n\n```py\nx = 1\n```\n\n[out](https://example.org) <script>",
    );
    const place = document.createElement("div");
    place.innerHTML = html;
    expect(place.querySelector("h1")?.textContent).toBe("Title");
    expect(place.querySelector("li strong")?.textContent).toBe("done");
    expect(place.querySelector("pre code")?.textContent).toBe("x = 1\n");
    expect(place.querySelector("input,script,[target]")).toBeNull();
    expect(place.querySelector("li a")?.getAttribute("href")).toBe(`${location.origin}/notes/1`);
    expect(place.textContent).toContain("\u2611");
  });
});
