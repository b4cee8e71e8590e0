// The page without the server: its own files, and nothing of what they show. A plain script, as browsers fetch it by itself.
// The build puts in the list of files, so that every build is a new version of this script.
const FILES = ["/"];
const CACHE = "inkstream-dev";

/** The build before is kept too: its tabs may still be open, and ask for parts they have not loaded yet. */
const BUILDS = 2;
const PATIENCE_MS = 3_000;
const PAGES = /^\/(chat\/?.*|notes\/?.*)?$/;

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (request.mode === "navigate") {
    if (PAGES.test(pathname)) event.respondWith(page(request));
  } else if (pathname.startsWith("/assets/")) event.respondWith(hashed(request));
  else if (FILES.includes(pathname)) event.respondWith(plain(request));
});

async function install() {
  const cache = await caches.open(CACHE);
  try {
    await cache.addAll(
      FILES.map((path) => new Request(path, { cache: isHashed(path) ? "default" : "reload" })),
    );
    await expectOneBuild(cache);
  } catch (error) {
    await caches.delete(CACHE);
    throw error; // tried again with the next visit
  }
  await self.skipWaiting();
}

// a build that is being put in place right now: the page may be of one, its parts of another
async function expectOneBuild(cache) {
  const index = await (await cache.match("/")).text();
  const parts = [...index.matchAll(/"(\/assets\/[^"]+)"/g)].map(([, path]) => path);
  if (parts.some((path) => !FILES.includes(path))) throw new Error("the page has changed meanwhile");
}

async function activate() {
  const ours = (await caches.keys()).filter((name) => name.startsWith("inkstream-") && name !== CACHE);
  await Promise.all(ours.slice(0, Math.max(0, ours.length + 1 - BUILDS)).map((name) => caches.delete(name)));
  await self.clients.claim();
}

/** The newest page; the kept one where the server is away, broken or slow. */
async function page(request) {
  const late = new Promise((_, reject) => setTimeout(reject, PATIENCE_MS, new Error("too slow")));
  try {
    const response = await Promise.race([fetch(request), late]);
    if (response.status < 500) return response;
  } catch {
    // as if there were no server
  }
  return kept("/");
}

async function hashed(request) {
  return (await caches.match(request)) ?? fetch(request);
}

async function plain(request) {
  try {
    return await fetch(request);
  } catch {
    return kept(request);
  }
}

async function kept(request) {
  const cache = await caches.open(CACHE);
  return (await cache.match(request)) ?? Response.error();
}

function isHashed(path) {
  return path.startsWith("/assets/");
}
