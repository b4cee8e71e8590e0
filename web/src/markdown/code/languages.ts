/** The languages that code can be highlighted in. A language's parser is fetched when the first code needs it. */

import type { StreamParser } from "@codemirror/language";
import type { Parser } from "@lezer/common";

export class Language {
  /** Null until it has been fetched. */
  parser: Parser | null = null;
  readonly #fetch: () => Promise<Parser>;
  #loading: Promise<Parser> | null = null;

  constructor(fetch: () => Promise<Parser>) {
    this.#fetch = fetch;
  }

  /** Rejects if the parser cannot be fetched; a later call tries again. */
  load(): Promise<Parser> {
    return (this.#loading ??= this.#fetch().then(
      (parser) => (this.parser = parser),
      (error: unknown) => {
        this.#loading = null;
        throw error;
      },
    ));
  }
}

const parserOf = (module: { parser: Parser }) => module.parser;

const script = (dialect: string) =>
  new Language(() => import("@lezer/javascript").then(({ parser }) => parser.configure({ dialect })));

/** A language with a line-based stream parser. */
function lines<State>(fetch: () => Promise<StreamParser<State>>) {
  return new Language(async () => {
    const [{ StreamLanguage }, mode] = await Promise.all([import("@codemirror/language"), fetch()]);
    return StreamLanguage.define(mode).parser;
  });
}

const javascript = script("jsx");
const css = new Language(() => import("@lezer/css").then(parserOf));

/** HTML, with the scripts and styles in it. */
const html = new Language(async () => {
  const [{ configureNesting, parser }, inScript, inStyle] = await Promise.all([
    import("@lezer/html"),
    javascript.load(),
    css.load(),
  ]);
  const wrap = configureNesting([
    { tag: "script", parser: inScript },
    { tag: "style", parser: inStyle },
  ]);
  return parser.configure({ wrap });
});

const LANGUAGES: [names: string, language: Language][] = [
  ["javascript js jsx mjs cjs node", javascript],
  ["typescript ts mts cts", script("ts")],
  ["tsx", script("jsx ts")],
  ["css scss less", css],
  ["html htm xhtml vue svelte", html],
  ["xml svg rss", new Language(() => import("@lezer/xml").then(parserOf))],
  ["python py python3 pyi", new Language(() => import("@lezer/python").then(parserOf))],
  ["json jsonc json5 jsonl", new Language(() => import("@lezer/json").then(parserOf))],
  ["yaml yml", new Language(() => import("@lezer/yaml").then(parserOf))],
  ["go golang", new Language(() => import("@lezer/go").then(parserOf))],
  ["rust rs", new Language(() => import("@lezer/rust").then(parserOf))],
  ["java", new Language(() => import("@lezer/java").then(parserOf))],
  ["c h cpp c++ cc cxx hpp", new Language(() => import("@lezer/cpp").then(parserOf))],
  [
    "sql postgresql postgres psql mysql mariadb sqlite plsql",
    new Language(() => import("@codemirror/lang-sql").then(({ StandardSQL }) => StandardSQL.language.parser)),
  ],
  [
    "shell bash sh zsh ksh console shell-session shellsession shellscript",
    lines(() => import("@codemirror/legacy-modes/mode/shell").then(({ shell }) => shell)),
  ],
  ["toml", lines(() => import("@codemirror/legacy-modes/mode/toml").then(({ toml }) => toml))],
  [
    "ini properties env dotenv cfg",
    lines(() => import("@codemirror/legacy-modes/mode/properties").then(({ properties }) => properties)),
  ],
  ["diff patch", lines(() => import("@codemirror/legacy-modes/mode/diff").then(({ diff }) => diff))],
  [
    "dockerfile docker containerfile",
    lines(() => import("@codemirror/legacy-modes/mode/dockerfile").then(({ dockerFile }) => dockerFile)),
  ],
  ["ruby rb", lines(() => import("@codemirror/legacy-modes/mode/ruby").then(({ ruby }) => ruby))],
];

const BY_NAME = new Map(
  LANGUAGES.flatMap(([names, language]) => names.split(" ").map((name) => [name, language] as const)),
);

/** The language by a fence's info string: `rust,ignore`, `js title="…"`, `{.python}`. Null if it is unknown. */
export function languageOf(info: string): Language | null {
  const name = /^[\s{.]*([\w+#-]+)/.exec(info)?.[1] ?? "";
  return BY_NAME.get(name.toLowerCase()) ?? null;
}
