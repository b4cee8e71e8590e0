import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

import { serviceWorker } from "./service-worker.ts";

const gateway = process.env["INKSTREAM_URL"] ?? "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [svelte(), serviceWorker()],
  build: {
    target: ["chrome123", "firefox128", "safari18"],
    // a font or a picture inside the CSS would need `data:` in the content security policy
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  server: {
    proxy: {
      "/api": { target: gateway, changeOrigin: true },
      "/docs": { target: gateway, changeOrigin: true },
      "/openapi.json": { target: gateway, changeOrigin: true },
      "/ws": { target: gateway, changeOrigin: true, ws: true },
    },
  },
  test: {
    environment: "jsdom",
    include: ["src/**/*.test.ts"],
  },
  resolve: process.env["VITEST"] ? { conditions: ["browser"] } : {},
});
