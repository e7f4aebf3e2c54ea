/**
 * Wires config, stream, reducer and view together. The only file that holds the current state.
 */

import { Goodbye } from './goodbye.js';
import { readConfig } from './read_config.js';
import { INITIAL_STATE, reduce } from './reduce.js';
import { Stream } from './stream.js';
import { View, showFailure } from './view.js';

const AGE_INTERVAL_MS = 1_000;

/** @param {import('./read_config.js').Config} config @returns {Goodbye | null} */
function goodbye(config) {
  if (config.goodbye === null) return null;
  return new Goodbye(config.goodbyeUrl, config.goodbye, {
    beacon: (url, body) => navigator.sendBeacon(url, body),
    post: (url, body, headers) => fetch(url, { method: 'POST', body, headers, keepalive: true }),
    sha256: async (text) => {
      const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
      return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('');
    },
  });
}

/** @param {import('./read_config.js').Config} config @returns {import('./stream.js').Environment} */
function browser(config) {
  return {
    EventSource,
    now: () => Date.now(), // not performance.now(): it may stand still while the machine sleeps
    random: () => Math.random(),
    online: () => navigator.onLine,
    setTimeout: (callback, ms) => setTimeout(callback, ms),
    clearTimeout: (timer) => clearTimeout(timer),
    setInterval: (callback, ms) => setInterval(callback, ms),
    clearInterval: (timer) => clearInterval(timer),
    goodbye: goodbye(config),
  };
}

/** @param {import('./read_config.js').Config} config */
function start(config) {
  let state = INITIAL_STATE;
  let drawing = false;
  const view = new View(document, config, dispatch);
  const stream = new Stream(config.streamUrl, config, dispatch, browser(config));

  /** @param {import('./reduce.js').Action} action */
  function dispatch(action) {
    state = reduce(state, action);
    if (drawing) return;
    drawing = true;
    // A burst of events is drawn once, and a hidden tab draws nothing.
    requestAnimationFrame(() => {
      drawing = false;
      view.draw(state, Date.now());
    });
  }

  view.draw(state, Date.now());
  setInterval(() => view.drawAges(state, Date.now()), AGE_INTERVAL_MS);
  addEventListener('offline', () => stream.wentOffline());
  addEventListener('online', () => state.connection.phase !== 'live' && stream.open());
  // A page in the back/forward cache must not hold a connection; one that is gone for good cannot be told from it.
  addEventListener('pagehide', () => stream.close());
  addEventListener('pageshow', (event) => event.persisted && stream.open());
  stream.open();
}

try {
  start(readConfig(/** @type {any} */ (window).CONFIG));
} catch (error) {
  showFailure(document, error instanceof Error ? error.message : String(error));
}
