// An EventSource in Node: `node eventsource.mjs NODE_MODULES URL NAME...` writes each event as a line of JSON. It reconnects by
// itself.
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

const [modules, url, ...names] = process.argv.slice(2);
const { EventSource } = createRequire(join(resolve(modules), 'x.js'))('eventsource');

const source = new EventSource(url);
for (const name of names) {
  source.addEventListener(name, ({ data }) => process.stdout.write(`${JSON.stringify({ event: name, data })}\n`));
}
source.addEventListener('error', ({ code, message }) => console.error(`error ${code ?? ''} ${message ?? ''}`));
