import { describe, expect, it } from "vitest";

import { notes } from "../notes/dialect.ts";
import { answers } from "./markdown.ts";
import { MarkdownStream, type Block } from "./markdown-stream.ts";

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

const shown = (blocks: Block[]) =>
  blocks.map((block) => (block.kind === "html" ? block.html : `<${block.language}>${block.text}`)).join("\n");

describe("streaming", () => {
  it("ends as if the text had come whole, wherever it was cut", () => {
    const whole = shown(new MarkdownStream().update(SAMPLE));
    for (const step of [1, 2, 3, 7, 50]) {
      const stream = new MarkdownStream();
      let blocks: Block[] = [];
      for (let end = 0; end < SAMPLE.length + step; end += step) blocks = stream.update(SAMPLE.slice(0, end));
      expect(shown(blocks), `steps of ${step}`).toBe(whole);
    }
  });

  it("keeps settled blocks as they are", () => {
    const stream = new MarkdownStream();
    const before = stream.update("first\n\nsecond\n\nthi");
    const after = stream.update("first\n\nsecond\n\nthird");
    expect(after[0]).toBe(before[0]);
    expect(after[1]).toBe(before[1]);
    expect(after[2]).not.toBe(before[2]);
  });

  it("begins again where the text is not a continuation", () => {
    const stream = new MarkdownStream();
    stream.update("one\n\ntwo\n\nthree");
    expect(shown(stream.update("four"))).toBe(shown(new MarkdownStream().update("four")));
  });

  it("reads CRLF like LF", () => {
    expect(shown(new MarkdownStream().update("a\r\n\r\n- b\r\n- c"))).toBe(
      shown(new MarkdownStream().update("a\n\n- b\n- c")),
    );
  });

  it("works in proportion to what is new", () => {
    const stream = new MarkdownStream();
    const paragraph = "Lorem ipsum dolor sit amet, consectetur adipiscing elit.\n\n";
    let text = "";
    for (let i = 0; i < 400; i++) stream.update((text += paragraph));
    const started = performance.now();
    stream.update(text + paragraph);
    const one = performance.now() - started;
    const again = performance.now();
    new MarkdownStream().update(text + paragraph);
    expect(one).toBeLessThan((performance.now() - again) / 4);
  });
});

describe("what could do harm", () => {
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
  ])("is taken out of %s", (text) => {
    for (const page of [html(text), noteHtml(text)].map(parsed)) expectHarmless(page);
  });

  it("is no harm either where it is cut in the middle", () => {
    const payload = '<img src=x onerror="alert(1)">[x](javascript:alert(1))<svg onload=alert(1)>';
    for (let end = 1; end <= payload.length; end++) expectHarmless(parsed(html(payload.slice(0, end))));
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

  it("links open elsewhere and say where they go", () => {
    const page = document.createElement("div");
    page.innerHTML = html("[here](https://example.org/x)");
    const link = page.querySelector("a");
    expect(link?.target).toBe("_blank");
    expect(link?.rel).toContain("noopener");
    expect(link?.title).toBe("https://example.org/x");
  });

  it("a task's box stays", () => {
    expect(html("- [x] done")).toContain('type="checkbox"');
  });
});
