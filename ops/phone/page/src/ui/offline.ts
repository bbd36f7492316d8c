/**
 * The service worker: the page opens without a network.
 *
 * It keeps the page's own small files, those of one build together, and gives them where the network does not. What the
 * network has goes first, so that updates come. Models and what the page asks of a server never pass through it.
 */

import { build } from "./build.ts";

declare const self: ServiceWorkerGlobalScope;

const PREFIX = "starai-page-";
const CACHE = `${PREFIX}${build}`;
const FILES = ["./", "page.js", "device.js", "model.js", "style.css", "icon.svg", "manifest.webmanifest"];
/** Milliseconds after which a network that hangs counts as none. */
const PATIENCE = 5000;

const scope = self.registration.scope;
const kept = new Set(FILES.map((file) => new URL(file, scope).href));

self.addEventListener("install", (event) => event.waitUntil(keep()));
self.addEventListener("activate", (event) => event.waitUntil(forget()));
self.addEventListener("fetch", (event) => {
  const file = ownFile(event.request);
  if (file !== null) event.respondWith(answer(event.request, file));
});

/** All files at once: one that is missing fails the install, and the build before stays whole. */
async function keep(): Promise<void> {
  const cache = await caches.open(CACHE);
  await cache.addAll([...kept].map((file) => new Request(file, { cache: "reload" })));
  await self.skipWaiting();
}

async function forget(): Promise<void> {
  const names = await caches.keys();
  const older = names.filter((name) => name.startsWith(PREFIX) && name !== CACHE);
  await Promise.all(older.map((name) => caches.delete(name)));
}

function ownFile(request: Request): string | null {
  if (request.method !== "GET") return null;
  const url = new URL(request.url);
  const plain = `${url.origin}${url.pathname}`;
  const file = plain === `${scope}index.html` ? scope : plain;
  return kept.has(file) ? file : null;
}

async function answer(request: Request, file: string): Promise<Response> {
  const copy = await caches.match(file, { cacheName: CACHE });
  if (copy === undefined) return fetch(request);
  const response = await soon(request);
  return response?.ok === true ? response : copy;
}

/** What the network answers; `null`: nothing, or nothing in time. */
async function soon(request: Request): Promise<Response | null> {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), PATIENCE);
  try {
    return await fetch(request, { signal: patience.signal });
  } catch {
    return null; // There is a copy: that is what it is for.
  } finally {
    clearTimeout(timer);
  }
}
