/**
 * The page as a bucket serves it: its files, a config.js of its own, and no program behind.
 */

import { readFileSync } from 'node:fs';
import path from 'node:path';

import { ROOT } from './places.mjs';

const TYPES = new Map([
  ['.html', 'text/html; charset=utf-8'], ['.js', 'text/javascript; charset=utf-8'], ['.css', 'text/css; charset=utf-8'], ['.svg', 'image/svg+xml'],
]);

/**
 * Returns what answers for the files.
 * @param {Record<string, unknown>} config @param {Record<string, string>} headers that go with each of them
 */
export function site(config, headers = {}) {
  const folder = process.env.FRONTEND_DIR ?? path.join(ROOT, 'frontend');
  return (request, response) => {
    const { pathname } = new URL(request.url, 'http://x');
    if (pathname === '/config.js') {
      const script = `window.CONFIG = Object.freeze(${JSON.stringify(config)});\n`;
      response.writeHead(200, { ...headers, 'content-type': 'text/javascript; charset=utf-8' }).end(script);
      return;
    }
    const file = path.join(folder, pathname === '/' ? 'index.html' : path.normalize(pathname));
    try {
      const body = readFileSync(file);
      response.writeHead(200, { ...headers, 'content-type': TYPES.get(path.extname(file)) ?? 'application/octet-stream' }).end(body);
    } catch {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('no such file');
    }
  };
}
