/**
 * A stream that says what a test wants it to say, at the pace of its reader: for what no table can hold and no server sends.
 */

const HEAD = {
  'content-type': 'text/event-stream', 'cache-control': 'no-store, no-transform', 'access-control-allow-origin': '*',
};

/** One event as bytes. @param {string} name @param {object} data @param {string} id */
export const frame = (name, data, id = '') => `event: ${name}\n${id ? `id: ${id}\n` : ''}data: ${JSON.stringify(data)}\n\n`;

export class FakeStream {
  opened = 0;
  #first;
  /** @type {Set<import('node:http').ServerResponse>} */
  #readers = new Set();

  /** @param {(cursor: string) => string} first what a reader that comes gets at once */
  constructor(first) {
    this.#first = first;
  }

  /** The handler for {@link import('./gate.mjs').Gate.handle}. */
  get handler() {
    return (request, response) => {
      this.opened += 1;
      const cursor = String(request.headers['last-event-id'] ?? new URL(request.url, 'http://x').searchParams.get('last_event_id') ?? '');
      response.writeHead(200, HEAD);
      response.flushHeaders();
      response.write(this.#first(cursor));
      this.#readers.add(response);
      response.once('close', () => this.#readers.delete(response));
    };
  }

  /** Sends bytes to every reader, and returns when all of them have room for more. @param {string} bytes */
  async send(bytes) {
    await Promise.all([...this.#readers].map((reader) => reader.write(bytes) || new Promise((done) => {
      const ready = () => {
        reader.off('drain', ready).off('close', ready);
        done(undefined);
      };
      reader.on('drain', ready).on('close', ready);
    })));
  }
}

/** What a stream opens with. @param {string} id */
export function opening(id) {
  const timestamp = new Date().toISOString();
  return `retry: 1000\n\n${frame('heartbeat', { timestamp, connections: 1, uptime_seconds: 1, stream_id: 'f'.repeat(32) }, id)}`;
}

/** @param {Record<string, number>} byTag */
export function metrics(byTag, id = '') {
  const total = Object.values(byTag).reduce((sum, count) => sum + count, 0);
  const text = JSON.stringify({
    total, positive: total, neutral: 0, negative: 0, by_tag: {}, rate_last_hour: total, rate_last_24h: total, timestamp: new Date().toISOString(),
  });
  // By text, because an object literal has no own key `__proto__`.
  const tags = Object.entries(byTag).map(([tag, count]) => `${JSON.stringify(tag)}:${count}`).join(',');
  return `event: metrics\n${id ? `id: ${id}\n` : ''}data: ${text.replace('"by_tag":{}', () => `"by_tag":{${tags}}`)}\n\n`;
}
