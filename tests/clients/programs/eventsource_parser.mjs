// A client of fetch and eventsource-parser: `node eventsource_parser.mjs NODE_MODULES URL` writes each event as a line of JSON.
// The parser decodes; connecting again after the last id, when the server said, is up to its user.
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const [modules, url] = process.argv.slice(2);
const { createParser } = createRequire(join(resolve(modules), 'x.js'))('eventsource-parser');

let lastEventId = '';
let retryMs = 1000;
const parser = createParser({
  onEvent({ event, id, data }) {
    lastEventId = id ?? lastEventId;
    process.stdout.write(`${JSON.stringify({ event: event ?? 'message', data })}\n`);
  },
  onRetry(ms) {
    retryMs = ms;
  },
});

for (;;) {
  try {
    const headers = { Accept: 'text/event-stream', ...(lastEventId && { 'Last-Event-ID': lastEventId }) };
    const response = await fetch(url, { headers, cache: 'no-store' });
    const decoder = new TextDecoder();
    for await (const piece of response.body) parser.feed(decoder.decode(piece, { stream: true }));
  } catch (error) {
    console.error(`${error.message}: ${error.cause?.message ?? ''}`);
  }
  // What was begun is not complete and never will be.
  parser.reset();
  await pause(retryMs);
}
