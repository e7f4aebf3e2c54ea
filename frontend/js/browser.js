/** What only a browser has, for the files that are told what there is. Decides nothing. */

import { Goodbye } from './goodbye.js';
import { Storage } from './storage.js';

/** @param {string} text @returns {Promise<string>} in hexadecimal */
export async function sha256(text) {
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** @param {import('./config.js').Config} config @returns {Goodbye | null} */
export function goodbye(config) {
  if (config.goodbye === null) return null;
  return new Goodbye(config.goodbyeUrl, config.goodbye, {
    beacon: (url, body) => navigator.sendBeacon(url, body),
    post: (url, body, headers) => fetch(url, { method: 'POST', body, headers, keepalive: true }),
    sha256,
  });
}

export const storage = () => new Storage(() => localStorage);

/** @param {Storage} place @returns {import('./rest.js').Environment} */
export const restEnvironment = (place) => ({ fetch: (input, init) => fetch(input, init), sha256, storage: place, now: () => Date.now() });

/** The part of the address behind `#`, which changes without a new entry in the history. */
export const address = {
  hash: () => location.hash,
  setHash: (/** @type {string} */ hash) => {
    if (location.hash !== hash) history.replaceState(null, '', hash === '' ? location.pathname + location.search : hash);
  },
  /** @param {string} key @returns {string | null} of the query */
  query: (key) => new URLSearchParams(location.search).get(key),
  setQuery: (/** @type {string} */ key, /** @type {string} */ value) => {
    const url = new URL(location.href);
    url.searchParams.set(key, value);
    if (url.href !== location.href) history.replaceState(null, '', url);
  },
};

/** Resolves when the page has been painted and the browser has nothing more urgent to do. @returns {Promise<void>} */
export function painted() {
  return new Promise((resolve) => {
    // A hidden tab paints nothing, and still has to come to an end.
    const later = () => (globalThis.requestIdleCallback ?? setTimeout)(() => resolve(), /** @type {any} */ ({ timeout: 500 }));
    if (document.hidden) setTimeout(later);
    else requestAnimationFrame(() => setTimeout(later));
  });
}
