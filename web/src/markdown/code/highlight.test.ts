import { afterEach, describe, expect, it } from "vitest";

import { highlight } from "./highlight.ts";
import { languageOf } from "./languages.ts";

const always = () => true;

afterEach(() => {
  document.body.replaceChildren();
  getSelection()?.removeAllRanges();
});

/** Code as a code block renders it: each of `texts` in an element of its own. */
function place(...texts: string[]): HTMLElement {
  const code = document.createElement("code");
  for (const text of texts) {
    const stretch = document.createElement("span");
    stretch.textContent = text;
    code.append(stretch);
  }
  document.body.append(code);
  return code;
}

async function coloured(info: string, ...texts: string[]): Promise<HTMLElement> {
  const code = place(...texts);
  await highlight(code, info, always);
  return code;
}

const tokensOf = (code: HTMLElement, look: string) =>
  [...code.querySelectorAll(`.code-${look}`)].map((token) => token.textContent);

describe("code is highlighted", () => {
  it.each([
    ["bash", 'if true; then\n  echo "hi" # all\nfi', { keyword: "if", text: '"hi"', comment: "# all" }],
    ["console", "$ sudo ls --all", { name: "ls" }],
    ["go", 'func main() { return "hi" } // all', { keyword: "func", text: '"hi"', comment: "// all" }],
    ["rust,ignore", "fn main() { let x: Vec<u8> = 1; }", { keyword: "fn", name: "Vec", value: "1" }],
    [
      "html",
      '<p class="a">so</p><style>p { color: red }</style>',
      { keyword: "p", text: '"a"', value: "red" },
    ],
    ["html", "<script>const a = null</script>", { keyword: "const", value: "null" }],
    ["css", "a { color: #fff }", { keyword: "a", name: "color", value: "#fff" }],
    ["sql", "select 'a' from b -- all", { keyword: "select", text: "'a'", comment: "-- all" }],
    ["yaml", 'a: "b" # all', { name: "a", text: '"b"', comment: "# all" }],
    ["json", '{"a": [1, "b", null]}', { name: '"a"', value: "1", text: '"b"' }],
    ["toml", '[a]\nb = "c"', { name: "b", text: '"c"' }],
    ["java", "class A { int b = 1; }", { keyword: "class", name: "A", value: "1" }],
    [
      "c++",
      '#include <a>\nint b = 1; const char *c = "d";',
      { keyword: "#include", name: "int", text: "<a>" },
    ],
    ["python", "@a\ndef b(): return f'c'", { keyword: "def", name: "b", text: "f'c'" }],
    ["ts", "const a: string = `b`", { keyword: "const", name: "a", text: "`b`" }],
    ["tsx", '<a href="b" />', { keyword: "a", name: "href", text: '"b"' }],
    ["diff", "-a\n+b", { gone: "-a", text: "+b" }],
    ["ini", "[a]\nb=c", { name: "[a]" }],
    ["dockerfile", "FROM a", { keyword: "FROM" }],
    ["ruby", 'def a; "b" end', { keyword: "def", text: '"b"' }],
    ["xml", '<a b="c"/>', { keyword: "a", name: "b", text: '"c"' }],
  ])("in %s: %j", async (info, text, looks) => {
    const code = await coloured(info, text);
    expect(code.textContent).toBe(text);
    for (const [look, token] of Object.entries(looks)) expect(tokensOf(code, look)).toContain(token);
  });

  it("across the elements it is split into", async () => {
    const code = await coloured("js", "const a = 1;\n/* one\n", "two */ let b\n", "three()\n");
    expect([...code.children].map((stretch) => stretch.textContent)).toEqual([
      "const a = 1;\n/* one\n",
      "two */ let b\n",
      "three()\n",
    ]);
    expect(tokensOf(code, "comment")).toEqual(["/* one\n", "two */"]);
    expect(tokensOf(code, "keyword")).toEqual(["const", "let"]);
  });

  it("as text, even if it looks like HTML", async () => {
    const text = "const a = '<img src=x onerror=alert(1)>' && `<b>` // </span><b>";
    const code = await coloured("js", text);
    expect(code.textContent).toBe(text);
    expect(code.querySelector("img, b")).toBeNull();
  });

  it.each(["", "text", "nonsense", "constructor"])("not if its language is %j", async (info) => {
    expect(languageOf(info)).toBeNull();
    expect((await coloured(info, "if 1")).innerHTML).toBe("<span>if 1</span>");
  });

  it("no longer once the text has changed", async () => {
    const code = place("if (1) 2");
    await highlight(code, "js", () => false);
    expect(code.innerHTML).toBe("<span>if (1) 2</span>");
  });
});

describe("the selection is preserved", () => {
  const text = "const one = two; // three";

  it.each([
    [0, 5],
    [3, 14],
    [12, 15],
    [25, 6],
  ])("from %i to %i", async (from, to) => {
    const code = place(text);
    const inside = code.firstChild?.firstChild as Text;
    getSelection()?.setBaseAndExtent(inside, from, inside, to);
    const selected = String(getSelection());
    await highlight(code, "js", always);
    expect(tokensOf(code, "keyword")).toEqual(["const"]);
    expect(String(getSelection())).toBe(selected);
    expect(selected).toBe(text.slice(Math.min(from, to), Math.max(from, to)));
  });

  it("if it begins before the code and ends in it", async () => {
    const before = document.createElement("p");
    before.textContent = "before";
    document.body.append(before);
    const code = place(text, text);
    getSelection()?.setBaseAndExtent(before.firstChild as Text, 3, code.lastChild?.firstChild as Text, 9);
    await highlight(code, "js", always);
    expect(String(getSelection())).toBe(`ore${text}const one`);
  });

  it("if it is the whole code", async () => {
    const code = place(text);
    getSelection()?.selectAllChildren(code.firstChild as Node);
    await highlight(code, "js", always);
    expect(String(getSelection())).toBe(text);
  });
});
