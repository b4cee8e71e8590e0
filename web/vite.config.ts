import { svelte } from "@sveltejs/vite-plugin-svelte";
import type { Plugin, ProxyOptions } from "vite";
import { defineConfig } from "vitest/config";

import { serviceWorker } from "./service-worker.ts";

const gateway = process.env["INKSTREAM_URL"] ?? "http://127.0.0.1:8080";

/** What the gateway answers while the page is developed: the same as behind the containers' Caddy, and more to look at. */
const GATEWAY_PATHS = ["/api", "/ws", "/mcp", "/healthz", "/readyz", "/metrics", "/openapi.json", "/docs"];

/** A gateway that is being restarted is said to be away for a moment, which the page knows how to wait for. */
const configure: ProxyOptions["configure"] = (proxy) => {
  proxy.on("error", (_error, _request, response) => {
    if (!("writeHead" in response) || response.headersSent) return;
    const problem = {
      title: "Service Unavailable",
      status: 503,
      code: "service_unavailable",
      detail: "The gateway is starting.",
    };
    response.writeHead(503, { "content-type": "application/problem+json", "retry-after": "1" });
    response.end(JSON.stringify(problem));
  });
};

/** The host stays as the browser named it: the gateway compares it with the request's origin. */
function proxyTo(path: string): ProxyOptions {
  return { target: gateway, changeOrigin: false, ws: path === "/ws", configure };
}

/** KaTeX offers each font in three formats; all supported browsers read the first. */
const oneFontFormat: Plugin = {
  name: "one-font-format",
  enforce: "pre",
  transform: (code, id) =>
    id.includes("/katex/dist/") && id.endsWith(".css")
      ? code.replace(/,url\(fonts\/[^)]*\.(?:woff|ttf)\) format\("[^"]*"\)/g, "")
      : undefined,
};

export default defineConfig({
  plugins: [svelte(), oneFontFormat, serviceWorker()],
  build: {
    target: ["chrome123", "firefox128", "safari18"],
    // a font or a picture inside the CSS would need `data:` in the content security policy
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  server: {
    proxy: Object.fromEntries(GATEWAY_PATHS.map((path) => [path, proxyTo(path)])),
  },
  test: {
    environment: "jsdom",
    include: ["src/**/*.test.ts"],
    testTimeout: 60_000, // a busy machine is slow; what is waited for ends the wait
  },
  resolve: process.env["VITEST"] ? { conditions: ["browser"] } : {},
});
