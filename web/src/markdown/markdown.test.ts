import { parser } from "marked";
import { describe, expect, it } from "vitest";

import { notes } from "./note-dialect.ts";
import { answers, type Dialect } from "./markdown.ts";
import { MarkdownStream, type Block } from "./markdown-stream.ts";
import { IncrementalDom } from "./incremental-dom.ts";

const html = (text: string) => answers.render(answers.lex(text));
const noteHtml = (text: string) => notes.render(notes.lex(text));

const SAMPLE = `# A heading

Some *text* with **weight**, \`code\`, and a [link](https://example.org/a).
Another line.

- one
- two
  - nested

  loose

1. first
2. second

| a | b |
|---|---|
| 1 | 2 |

\`\`\`python
def greet(name):

    return f"hello {name}"
\`\`\`

> quoted
> twice

Underlined
==========

- [ ] open
- [x] closed

The end 🖋
`;

/** The HTML that the page shows. */
function shown(blocks: Block[]): string {
  return blocks
    .map((block) => {
      if (block.kind === "code") return `<${block.language}>${block.text}`;
      if (block.kind !== "html") return block.kind;
      const page = document.createElement("div");
      new IncrementalDom(page).show(block.parts, block.open);
      return page.innerHTML.replace(/(>|^)\s+(?=<|$)/g, "$1");
    })
    .join("\n");
}

describe("streaming", () => {
  it("gives the same result as the whole text, wherever it is cut", { timeout: 30_000 }, () => {
    const whole = shown(new MarkdownStream().update(SAMPLE));
    for (const step of [1, 3, 50]) {
      const stream = new MarkdownStream();
      let blocks: Block[] = [];
      for (let end = 0; end < SAMPLE.length + step; end += step) blocks = stream.update(SAMPLE.slice(0, end));
      expect(shown(blocks), `steps of ${step}`).toBe(whole);
    }
  });

  it("does not change settled blocks", () => {
    const stream = new MarkdownStream();
    const before = stream.update("first\n\nsecond\n\nthird\n");
    const after = stream.update("first\n\nsecond\n\nthird\nfourth");
    expect(after[0]).toBe(before[0]);
    expect(after[1]).toBe(before[1]);
    expect(after[2]).not.toBe(before[2]);
  });

  it.each([
    ["```js\na\n", false],
    ["```js\na\n``", false],
    ["```js\na\n```\n", true],
    ["```\n```\n", true],
    ["````md\n```js\n```\n", false],
    ["````md\n```js\n```\n````\n", true],
    ["~~~js\n```\n", false],
    ["```js\na\n``` \nwords", true],
    ["    a\n", false],
  ])("tells whether the code in %j is closed", (text, closed) => {
    const stream = new MarkdownStream();
    let blocks: Block[] = [];
    for (let end = 1; end <= text.length; end++) blocks = stream.update(text.slice(0, end));
    expect(blocks[0]).toMatchObject({ kind: "code", closed });
  });

  it("starts over if the text is not a continuation", () => {
    const stream = new MarkdownStream();
    stream.update("one\n\ntwo\n\nthree");
    expect(shown(stream.update("four"))).toBe(shown(new MarkdownStream().update("four")));
  });

  it("reads CRLF like LF", () => {
    expect(shown(new MarkdownStream().update("a\r\n\r\n- b\r\n- c"))).toBe(
      shown(new MarkdownStream().update("a\n\n- b\n- c")),
    );
  });

  const LONG: Record<string, [string, (number: number) => string]> = {
    paragraphs: ["", (number) => `Paragraph ${number} says *something*.\n\n`],
    "one table": ["| a | b |\n|---|---|\n", (number) => `| ${number} | \`x\` |\n`],
    "one list": ["", (number) => `- item ${number}\n  - within\n`],
    "one loose list": ["", (number) => `1. item ${number}\n\n   more\n\n`],
    "one code block": ["```python\n", (number) => `value_${number} = ${number}\n`],
    "one paragraph": ["", (number) => `Sentence ${number} is **said** and \`done\`. `],
  };

  it.each(Object.entries(LONG))("does work proportional to the new text: %s", (_, [begin, piece]) => {
    let worked = 0;
    const counting: Dialect = {
      lex(text, links) {
        worked += text.length;
        return answers.lex(text, links);
      },
      render(tokens) {
        const html = parser(tokens);
        worked += html.length;
        return html;
      },
    };
    const stream = new MarkdownStream(counting);
    let text = begin;
    const upTo = (count: number) => {
      worked = 0;
      for (let number = 0; number < count; number++) stream.update((text += piece(number)));
      return worked;
    };
    const first = upTo(200);
    upTo(200);
    expect(upTo(200)).toBeLessThan(first * 1.5);
  });
});

describe("harmful content", () => {
  it.each([
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)><script>alert(1)</script></svg>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:x)",
    "![x](https://elsewhere.example/pixel.png)",
    "![x](javascript:alert(1))",
    '<a href="javascript:alert(1)" onclick="alert(1)">x</a>',
    '<iframe src="https://elsewhere.example"></iframe>',
    '<form action="/api/auth/logout"><input type="submit"><input name="q"></form>',
    "<style>body{display:none}</style>",
    '<p style="position:fixed;inset:0">x</p>',
    '<math><mtext><table><mglyph><style><img src=x onerror="alert(1)">',
    '<base href="https://elsewhere.example/">',
    '<meta http-equiv="refresh" content="0">',
    "<object data=x></object><embed src=x>",
    '"><img src=x onerror=alert(1)>',
    '![" onerror="alert(1)](x)',
    "[protocol relative](//elsewhere.example)",
    '<https://elsewhere.example/"onmouseover=alert(1)>',
    "![x](data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+)",
    '<img srcset="https://elsewhere.example/x 2x"><picture><source srcset="https://elsewhere.example/y"></picture>',
    '<video poster="https://elsewhere.example/x"><audio src="https://elsewhere.example/y"></audio></video>',
    '<table background="https://elsewhere.example/x"><tr><td background="https://elsewhere.example/y">z</table>',
    '<a href="java\nscript:alert(1)">x</a>',
    '<a href="/x" ping="https://elsewhere.example" target="_top">x</a>',
    '<svg><a xlink:href="javascript:alert(1)"><text>x</text></a></svg>',
    '<svg><use href="data:image/svg+xml,x"/><foreignObject><script>alert(1)</script></foreignObject></svg>',
    "<details open ontoggle=alert(1)>x</details>",
    "<template><script>alert(1)</script></template>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
    "<link rel=stylesheet href=https://elsewhere.example/x><link rel=prefetch href=https://elsewhere.example/y>",
    "<marquee onstart=alert(1)>x</marquee><button formaction=javascript:alert(1)>x</button>",
    "[[<img src=x onerror=alert(1)>]]",
    '[[" onmouseover="alert(1)|x]]',
    "[[x|<script>alert(1)</script>]]",
    "[[javascript:alert(1)]]",
    '<a class="wiki-link" href="javascript:alert(1)">x</a>',
  ])("is removed from %s", (text) => {
    for (const page of [html(text), noteHtml(text)].map(parsed)) expectHarmless(page);
  });

  it("is removed also if it is cut in the middle", () => {
    const payload = '<img src=x onerror="alert(1)">[x](javascript:alert(1))<svg onload=alert(1)>';
    for (let end = 1; end <= payload.length; end++) expectHarmless(parsed(html(payload.slice(0, end))));
  });

  it.each([
    "| a |\n|---|\n| b |\n| # |\n| c |\n",
    "- b\n- #\n- c\n",
    "1. b\n\n2. #\n\n3. c\n",
    "[b]\n#\n\n[b]: #\n",
  ])("is removed if it arrives byte by byte within %j", { timeout: 60_000 }, (around) => {
    const payload =
      '<img src=x onerror="alert(1)">[x](javascript:alert(1))</table></ul><svg onload=alert(1)><a href="javascript:alert(1)">';
    const text = around.replaceAll("#", payload);
    const stream = new MarkdownStream();
    const page = document.createElement("div");
    const dom = new IncrementalDom(page);
    for (let end = 1; end <= text.length; end++) {
      for (const block of stream.update(text.slice(0, end)))
        if (block.kind === "html") dom.show(block.parts, block.open);
      expectHarmless(page);
    }
  });

  it("includes unknown classes", () => {
    const within = html('- <b class="cm-link">a</b>\n\n  ```c++ x\n  a\n  ```\n\n  ```a"b\n  a\n  ```');
    expect([...parsed(within).querySelectorAll("[class]")].map((one) => one.className)).toEqual([
      "language-c++",
    ]);
  });

  it("is plain text within code", () => {
    const [block] = new MarkdownStream().update("```html\n<img src=x onerror=alert(1)>\n<script>");
    expect(block).toMatchObject({ kind: "code", text: "<img src=x onerror=alert(1)>\n<script>" });
  });

  function parsed(markup: string): HTMLElement {
    const page = document.createElement("div");
    page.innerHTML = markup;
    return page;
  }

  function expectHarmless(page: HTMLElement) {
    expect(
      page.querySelector(
        "script,img,svg,iframe,form,style,base,meta,object,embed,math,button,input,link,video,audio,source,template",
      ),
    ).toBeNull();
    for (const element of page.querySelectorAll("*")) {
      for (const { name, value } of element.attributes) {
        expect(name).not.toMatch(/^on|^style$|^src$/);
        expect(name).not.toMatch(/^(srcset|poster|background|ping|formaction|xlink:href)$/);
        if (name === "href") expect(value).toMatch(/^(https?:|mailto:|\/(?!\/)|#)/);
      }
    }
  }

  it("does not include links, which open a new tab and show their target", () => {
    const page = document.createElement("div");
    page.innerHTML = html("[here](https://example.org/x)");
    const link = page.querySelector("a");
    expect(link?.target).toBe("_blank");
    expect(link?.rel).toContain("noopener");
    expect(link?.title).toBe("https://example.org/x");
  });

  it("does not include checkboxes of tasks", () => {
    expect(html("- [x] done")).toContain('type="checkbox"');
  });
});

describe("a link, whatever its text says,", () => {
  const link = (href: string) => {
    const page = document.createElement("div");
    page.innerHTML = html(`<a href="${href}">x</a>`);
    return page.querySelector("a");
  };

  it("opens a new tab and shows its target if it leaves the app", () => {
    const away = [
      "/\\elsewhere.example",
      "/\t/elsewhere.example",
      "/&#10;/elsewhere.example",
      "https://elsewhere.example",
    ];
    for (const href of away) {
      const found = link(href);
      if (!found?.hasAttribute("href")) continue; // left out altogether
      expect(found.getAttribute("target"), href).toBe("_blank");
      expect(found.title, href).not.toBe("");
    }
    expect(link("https://elsewhere.example")?.getAttribute("href")).toBe("https://elsewhere.example");
  });

  it("opens in the same tab if it stays in the app", () => {
    expect(link("/notes/1")?.getAttribute("target")).toBeNull();
    expect(link("/notes/1")?.getAttribute("href")).toBe("/notes/1");
  });

  it("has no target if that is not a valid URL", () => {
    expect(link("https://[")?.hasAttribute("href")).toBe(false);
  });
});

it.each([
  ["the ==key *point*== here", "<mark>key <em>point</em></mark>"],
  ["a == b and c == d", null],
  ["== a== and ====", null],
  ["`==code==`", null],
])("words of a note are highlighted: %j", (text, mark) => {
  expect(/<mark>.*<\/mark>/.exec(noteHtml(text))?.[0] ?? null).toBe(mark);
});
