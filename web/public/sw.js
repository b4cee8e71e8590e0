// The page without the server: its own files, and nothing of what they show. A plain script, as browsers fetch it by itself.
// The build puts in the list of files, so that every build is a new version of this script.
const FILES = ["/"];
const CACHE = "inkstream-dev";

/** Each tab holds a lock that names the script that began it, and with that its build. */
const BUILD_LOCK = "inkstream-build ";
const PATIENCE_MS = 3_000;
/** The tabs that show the kept page: they take the parts of it that have no hash from its build, too, and do not wait. */
const showKept = new Set();
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
  await caches.delete(CACHE); // so that its place is behind those it replaces, also when an old build comes back
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
  await sweep();
  await self.clients.claim();
}

/** Takes away the builds that no tab shows any more: until then a tab may ask for parts it has not loaded yet. */
async function sweep() {
  const { held } = await navigator.locks.query();
  const names = held.map(({ name }) => name).filter((name) => name.startsWith(BUILD_LOCK));
  const shown = new Set(names.map((name) => name.slice(BUILD_LOCK.length)));
  const all = (await caches.keys()).filter((name) => name.startsWith("inkstream-"));
  // what comes after ours is being installed
  for (const name of all.slice(0, Math.max(0, all.indexOf(CACHE)))) {
    const cache = await caches.open(name);
    const found = await Promise.all([...shown].map((entry) => cache.match(entry)));
    if (!found.some(Boolean)) await caches.delete(name);
  }
}

/** The newest page; the kept one where the server is away, broken, slow, or has no page at the moment. */
async function page({ request, resultingClientId }) {
  let response = Response.error();
  try {
    response = await inTime(request);
    if (response.status < 400) return response;
  } catch {
    // as if there were no server
  }
  const page = await kept("/");
  if (page && resultingClientId) showKept.add(resultingClientId);
  return page ?? response;
}

async function hashed(request) {
  return (await caches.match(request)) ?? fetch(request);
}

// the page stays white until it has its first scripts
async function plain({ request, clientId }) {
  const found = showKept.has(clientId) && (await kept(request));
  if (found) return found;
  try {
    return await inTime(request);
  } catch {
    return (await kept(request)) ?? Response.error();
  }
}

function inTime(request) {
  const late = new Promise((_, reject) => setTimeout(reject, PATIENCE_MS, new Error("too slow")));
  return Promise.race([fetch(request), late]);
}

async function kept(request) {
  const cache = await caches.open(CACHE);
  return cache.match(request);
}

function isHashed(path) {
  return path.startsWith("/assets/");
}
