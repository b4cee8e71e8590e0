// @vitest-environment node
import { readFileSync } from "node:fs";

import { afterEach, beforeEach, expect, it, vi } from "vitest";

const SCRIPT = new URL("../../public/sw.js", import.meta.url);

interface Fetching {
  request: { url: string; method: string; mode: string };
  clientId: string;
  resultingClientId: string;
  respondWith(response: Promise<Response>): void;
}

let online: (path: string) => Promise<Response>;
let answer: (event: Fetching) => void;

/** The response that a tab gets; its first request is for a page. */
function get(path: string, tab: string, isPage = false): { text: string | null } {
  const got: { text: string | null } = { text: null };
  answer({
    request: { url: `https://here${path}`, method: "GET", mode: isPage ? "navigate" : "no-cors" },
    clientId: isPage ? "" : tab,
    resultingClientId: isPage ? tab : "",
    respondWith: (response) => void response.then(async (here) => (got.text = await here.text())),
  });
  return got;
}

beforeEach(() => {
  vi.useFakeTimers();
  const path = (request: string | { url: string }) =>
    typeof request === "string" ? request : new URL(request.url).pathname;
  const match = (request: string | { url: string }) =>
    Promise.resolve(new Response(`cached ${path(request)}`));
  const self = {
    addEventListener: (name: string, listener: typeof answer) => {
      if (name === "fetch") answer = listener;
    },
  };
  const code = readFileSync(SCRIPT, "utf8").replace('["/"]', '["/", "/start.js", "/theme.js"]');
  new Function("self", "caches", "location", "fetch", code)(
    self,
    { open: () => Promise.resolve({ match }), match },
    { origin: "https://here" },
    (request: { url: string }) => online(path(request)),
  );
});

afterEach(() => void vi.useRealTimers());

it("serves the cached page with its own scripts while the server hangs", async () => {
  online = () => new Promise(() => undefined);
  const page = get("/", "tab", true);
  await vi.advanceTimersByTimeAsync(3_000);
  expect(page.text).toBe("cached /");
  const scripts = [get("/start.js", "tab"), get("/theme.js", "tab")];
  await vi.advanceTimersByTimeAsync(0);
  expect(scripts.map(({ text }) => text)).toEqual(["cached /start.js", "cached /theme.js"]);
});

it("serves the cached page with its own scripts even if the server has newer ones by then", async () => {
  online = () => Promise.reject(new TypeError("network"));
  get("/", "tab", true);
  await vi.advanceTimersByTimeAsync(0);
  online = (path) => Promise.resolve(new Response(`new ${path}`));
  const script = get("/start.js", "tab");
  await vi.advanceTimersByTimeAsync(0);
  expect(script.text).toBe("cached /start.js");
});

it("serves the server's page with the server's scripts, and with cached ones if those do not arrive", async () => {
  online = (path) => Promise.resolve(new Response(`new ${path}`));
  const [page, script] = [get("/", "tab", true), get("/start.js", "tab")];
  await vi.advanceTimersByTimeAsync(0);
  expect([page.text, script.text]).toEqual(["new /", "new /start.js"]);
  online = () => new Promise(() => undefined);
  const late = get("/theme.js", "tab");
  await vi.advanceTimersByTimeAsync(3_000);
  expect(late.text).toBe("cached /theme.js");
});
