// Serves the page without the server: caches its own files, but no data. A plain script, as browsers fetch it directly.
// The build inserts the list of files, so that every build is a new version of this script.
const FILES = ["/"];
const CACHE = "inkstream-dev";

/** Each tab holds a lock with the name of its entry script, which identifies its build. */
const BUILD_LOCK = "inkstream-build ";
/** Files that the build's list leaves out, because few need them. */
const ON_DEMAND = /\/assets\/katex/i;
const NETWORK_TIMEOUT_MS = 3_000;
/** Tabs that were served the cached page: they get its files without a hash from the same build, and without waiting. */
const servedFromCache = new Set();
const PAGES = /^\/(chat\/?.*|notes\/?.*)?$/;

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));
self.addEventListener("message", (event) => event.waitUntil(sweep()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (request.mode === "navigate") {
    if (PAGES.test(pathname)) event.respondWith(page(event));
  } else if (pathname.startsWith("/assets/")) event.respondWith(hashed(request));
  else if (FILES.includes(pathname)) event.respondWith(plain(event));
});

async function install() {
  await caches.delete(CACHE); // recreated, so that it comes last even if an old build is deployed again
  const cache = await caches.open(CACHE);
  try {
    await cache.addAll(
      FILES.map((path) => new Request(path, { cache: isHashed(path) ? "default" : "reload" })),
    );
    await expectOneBuild(cache);
  } catch (error) {
    await caches.delete(CACHE);
    throw error; // retried at the next visit
  }
  await self.skipWaiting();
}

// during a deployment the page may be of one build and its assets of another
async function expectOneBuild(cache) {
  const index = await (await cache.match("/")).text();
  const parts = [...index.matchAll(/"(\/assets\/[^"]+)"/g)].map(([, path]) => path);
  if (parts.some((path) => !FILES.includes(path))) throw new Error("the page has changed meanwhile");
}

async function activate() {
  await sweep();
  await self.clients.claim();
}

/** Deletes the builds that no tab uses any more: until then a tab may need chunks that it has not loaded yet. */
async function sweep() {
  const { held } = await navigator.locks.query();
  const names = held.map(({ name }) => name).filter((name) => name.startsWith(BUILD_LOCK));
  const shown = new Set(names.map((name) => name.slice(BUILD_LOCK.length)));
  const all = (await caches.keys()).filter((name) => name.startsWith("inkstream-"));
  // caches after ours belong to builds that are being installed
  for (const name of all.slice(0, Math.max(0, all.indexOf(CACHE)))) {
    const cache = await caches.open(name);
    const found = await Promise.all([...shown].map((entry) => cache.match(entry)));
    if (!found.some(Boolean)) await caches.delete(name);
  }
}

/** The server's page; the cached one if the server cannot be reached, fails, or is slow. */
async function page({ request, resultingClientId }) {
  let response = Response.error();
  try {
    response = await inTime(request);
    if (response.status < 400) return response;
  } catch {
    // handled like a failed response
  }
  const page = await cached("/");
  if (page && resultingClientId) servedFromCache.add(resultingClientId);
  return page ?? response;
}

async function hashed(request) {
  const known = await caches.match(request);
  if (known) return known;
  const response = await fetch(request);
  if (response.ok && ON_DEMAND.test(request.url))
    await (await caches.open(CACHE)).put(request, response.clone());
  return response;
}

// the page stays blank until it has its first scripts, so a slow server is not waited for long
async function plain({ request, clientId }) {
  const found = servedFromCache.has(clientId) && (await cached(request));
  if (found) return found;
  try {
    return await inTime(request);
  } catch {
    return (await cached(request)) ?? Response.error();
  }
}

function inTime(request) {
  const late = new Promise((_, reject) => setTimeout(reject, NETWORK_TIMEOUT_MS, new Error("too slow")));
  return Promise.race([fetch(request), late]);
}

async function cached(request) {
  const cache = await caches.open(CACHE);
  return cache.match(request);
}

function isHashed(path) {
  return path.startsWith("/assets/");
}
