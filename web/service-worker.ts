/** Vite plugin that inserts the build's list of files into the service worker. */

import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";

import type { Plugin, ResolvedConfig } from "vite";

const SCRIPT = "sw.js";
/** Fetched only by those whose notes and answers have formulas; cached then. */
const ON_DEMAND = /^assets\/katex/i;

export function serviceWorker(): Plugin {
  let config: ResolvedConfig;
  return {
    name: "service-worker",
    apply: "build",
    configResolved: (resolved) => void (config = resolved),
    closeBundle() {
      const folder = join(config.root, config.build.outDir);
      const files = readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll("\\", "/"))
        .filter((file) => file !== SCRIPT && file !== "index.html" && !ON_DEMAND.test(file))
        .sort();
      const hash = createHash("sha256");
      for (const file of ["index.html", ...files]) hash.update(readFileSync(join(folder, file)));
      const script = join(folder, SCRIPT);
      const filled = readFileSync(script, "utf8")
        .replace('["/"]', JSON.stringify(["/", ...files.map((file) => `/${file}`)]))
        .replace("inkstream-dev", `inkstream-${hash.digest("hex").slice(0, 12)}`);
      writeFileSync(script, filled);
    },
  };
}
