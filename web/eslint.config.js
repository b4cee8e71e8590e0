import boundaries from "eslint-plugin-boundaries";
import svelte from "eslint-plugin-svelte";
import { defineConfig } from "eslint/config";
import ts from "typescript-eslint";

import svelteConfig from "./svelte.config.js";

/**
 * The folders of src, and what the files of each import: packages, the folder itself, and the folders named here. A
 * folder may name only folders above it, so that they form no cycle.
 */
const FOLDERS = [
  ["lib", []],
  ["ui", ["lib"]],
  ["api/generated", []],
  ["api", ["api/generated", "lib"]],
  ["layout", ["api", "lib"]],
  ["markdown/code", []],
  ["markdown", ["markdown/code", "ui"]],
  ["live", ["api", "lib"]],
  ["event-log", ["layout", "lib", "live", "ui"]],
  ["offline", ["api", "lib"]],
  ["notes/sync", ["api", "lib", "offline"]],
  ["notes", ["api", "layout", "notes/sync", "offline"]],
  ["notes/list", ["api", "layout", "lib", "notes", "notes/sync", "offline", "ui"]],
  ["notes/links", ["api", "lib", "markdown", "notes", "notes/list", "notes/sync", "ui"]],
  ["notes/history", ["api", "lib", "notes/list", "notes/sync", "ui"]],
  ["notes/transfer", ["api", "lib", "ui"]],
  ["notes/editor/preview", ["lib", "markdown", "notes", "notes/links"]],
  [
    "notes/editor/codemirror",
    ["markdown", "markdown/code", "notes/editor/preview", "notes/links", "notes/sync"],
  ],
  [
    "notes/editor",
    [
      ...["api", "layout", "lib", "live", "notes", "notes/editor/codemirror", "notes/editor/preview"],
      ...["notes/history", "notes/links", "notes/list", "notes/sync", "ui"],
    ],
  ],
  ["chat/runs", ["api", "lib"]],
  ["chat", ["api", "chat/runs", "lib", "live"]],
  ["chat/composer", ["api", "chat", "layout", "lib", "notes", "notes/list", "ui"]],
  ["chat/tools", ["api", "chat", "chat/composer", "chat/runs", "lib", "notes/links", "notes/list", "ui"]],
  [
    "chat/conversation",
    [
      ...["api", "chat", "chat/composer", "chat/runs", "chat/tools", "layout", "lib", "markdown", "notes"],
      ...["notes/links", "notes/list", "ui"],
    ],
  ],
  [
    "app",
    [
      ...["api", "chat", "chat/conversation", "event-log", "layout", "lib", "live", "notes", "notes/editor"],
      ...["notes/links", "notes/list", "notes/sync", "notes/transfer", "offline", "ui"],
    ],
  ],
];

FOLDERS.forEach(([folder, imported], place) => {
  const above = FOLDERS.slice(0, place).map(([name]) => name);
  const missing = imported.filter((name) => !above.includes(name));
  if (missing.length > 0) throw new Error(`${folder} imports ${missing.join(", ")}, which is not above it`);
});

export default defineConfig(
  { ignores: ["dist/", "public/", "src/api/generated/"] },
  ts.configs.base,
  svelte.configs.base,
  {
    files: ["src/**/*.ts", "src/**/*.svelte", "*.ts"],
    plugins: { "@typescript-eslint": ts.plugin },
    languageOptions: {
      parserOptions: {
        projectService: true,
        extraFileExtensions: [".svelte"],
        parser: ts.parser,
        svelteConfig,
      },
    },
    rules: {
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": "error",
    },
  },
  {
    files: ["src/*/**/*.ts", "src/*/**/*.svelte"],
    plugins: { boundaries },
    settings: {
      // the first that matches counts, so that a folder comes before the one it is in
      "boundaries/elements": FOLDERS.map(([folder]) => folder)
        .sort((a, b) => b.length - a.length)
        .map((folder) => ({ type: folder, pattern: `src/${folder}`, partialMatch: false })),
      "boundaries/dependency-nodes": ["import", "dynamic-import", "export"],
      "import/resolver": { node: { extensions: [".ts", ".svelte"] } },
    },
    rules: {
      "boundaries/no-unknown-files": "error",
      "boundaries/dependencies": [
        "error",
        {
          default: "disallow",
          policies: FOLDERS.map(([folder, imported]) => ({
            from: { element: { type: folder } },
            allow: { to: { element: { types: { anyOf: [folder, ...imported] } } } },
          })),
        },
      ],
    },
  },
);
