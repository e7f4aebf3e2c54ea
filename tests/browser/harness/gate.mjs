/**
 * A reverse proxy in front of one port that does what networks, platforms and other people's proxies do to it. What it does
 * may change at any time; what is open then is treated anew.
 */

import http from 'node:http';

/** What a page of another origin may read; the servers behind say the same. */
const CORS = { 'access-control-allow-origin': '*' };
/** Headers about one connection, which a proxy does not pass on. */
const OWN_HEADERS = new Set(['connection', 'keep-alive', 'transfer-encoding', 'host']);

/**
 * @typedef {http.IncomingMessage} Request
 * @typedef {http.ServerResponse} Response
 * @typedef {{kind: 'pass'} | {kind: 'refuse'} | {kind: 'swallow'} | {kind: 'buffer'}
 *   | {kind: 'answer', status: number, headers: Record<string, string>, body: string}} Mode
 */

export class Gate {
  /** @type {{at: number, url: string, lastEventId: string}[]} every request that came */
  requests = [];
  /** Sees each request that comes. @type {(request: Request) => void} */
  onRequest = () => {};
  /** Keys of config.js that differ behind this gate. @type {Record<string, unknown>} */
  config = {};
  /** Addresses that are others behind this gate, also in what the server allows the page to ask. @type {[string, string][]} */
  addresses = [];
  /** Answers what no server behind does. @type {(request: Request, response: Response) => void} */
  files = (_, response) => response.writeHead(404).end();
  #port = 0;
  #upstream;
  /** @type {Mode} */
  #mode = { kind: 'pass' };
  /** Which requests wait. @type {(url: string) => boolean} */
  #holds = () => false;
  /** Which requests the mode is for. @type {(url: string) => boolean} */
  #only = () => true;
  /** @type {Map<string, (request: Request, response: Response) => void>} */
  #handlers = new Map();
  /** @type {Set<import('node:net').Socket>} */
  #sockets = new Set();
  /** @type {Set<Exchange>} */
  #exchanges = new Set();
  /** @type {http.Server | null} */
  #server = null;

  /** @param {number | ((url: string) => number)} upstream port of the server behind; 0: `files` answers */
  constructor(upstream) {
    this.#upstream = typeof upstream === 'function' ? upstream : () => upstream;
  }

  /** @param {number | ((url: string) => number)} upstream @returns {Promise<Gate>} */
  static async open(upstream) {
    const gate = new Gate(upstream);
    await gate.#listen();
    return gate;
  }

  get url() {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Answers this path itself. @param {string} pathname @param {(request: Request, response: Response) => void} handler */
  handle(pathname, handler) {
    this.#handlers.set(pathname, handler);
  }

  /** Lets everything through again. */
  async pass() {
    this.#mode = { kind: 'pass' };
    for (const exchange of this.#exchanges) exchange.resume();
    await this.#listen();
  }

  /** Cuts every connection and refuses new ones, as a machine does whose program has died. */
  async refuse() {
    this.#mode = { kind: 'refuse' };
    const server = this.#server;
    this.#server = null;
    const closed = new Promise((done) => (server ? server.close(done) : done(undefined)));
    this.cut();
    await closed;
  }

  /** Passes nothing on and says nothing, as a network does that has gone away. */
  swallow() {
    this.#mode = { kind: 'swallow' };
    for (const exchange of this.#exchanges) exchange.pause();
  }

  /**
   * Answers by itself.
   * @param {number} status @param {{headers?: Record<string, string>, body?: string, only?: (url: string) => boolean}} options
   */
  answer(status, { headers = {}, body = '', only = () => true } = {}) {
    this.#mode = { kind: 'answer', status, headers, body };
    this.#only = only;
    this.cut(only);
  }

  /** Keeps each answer until it is complete, as a function does that was deployed with `BUFFERED`. */
  buffer() {
    this.#mode = { kind: 'buffer' };
    this.#only = () => true;
    this.cut();
  }

  /** Keeps requests waiting without an answer, until `release`. @param {(url: string) => boolean} only */
  hold(only) {
    this.#holds = only;
  }

  release() {
    this.#holds = () => false;
    for (const exchange of this.#exchanges) exchange.resume();
  }

  /** Ends what is open. @param {(url: string) => boolean} only */
  cut(only = () => true) {
    for (const exchange of this.#exchanges) if (only(exchange.url)) exchange.destroy();
    if (this.#mode.kind === 'refuse') for (const socket of this.#sockets) socket.destroy();
  }

  async close() {
    await this.refuse();
  }

  async #listen() {
    if (this.#server) return;
    const server = http.createServer((request, response) => this.#take(request, response));
    server.keepAliveTimeout = 60_000;
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    await new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, '127.0.0.1', () => resolve(undefined));
    });
    this.#port = /** @type {import('node:net').AddressInfo} */ (server.address()).port;
    this.#server = server;
  }

  /** @param {Request} request @param {Response} response */
  #take(request, response) {
    const url = request.url ?? '/';
    this.requests.push({ at: Date.now(), url, lastEventId: String(request.headers['last-event-id'] ?? '') });
    response.on('error', () => undefined);
    this.onRequest(request);
    const mode = this.#mode;
    if (mode.kind === 'answer' && this.#only(url)) {
      response.writeHead(mode.status, { ...CORS, 'content-type': 'application/json', ...mode.headers }).end(mode.body);
      return;
    }
    const upstream = this.#upstream(url);
    const handler = this.#handlers.get(url.split('?')[0]) ?? (upstream === 0 ? this.files : null);
    if (handler) {
      handler(request, response);
      return;
    }
    const config = url.split('?')[0] === '/config.js' ? this.config : null;
    const exchange = new Exchange(request, response, { upstream, buffered: mode.kind === 'buffer', config, addresses: this.addresses });
    this.#exchanges.add(exchange);
    response.once('close', () => this.#exchanges.delete(exchange));
    if (mode.kind === 'swallow' || this.#holds(url)) exchange.pause();
    exchange.start();
  }
}

/** One request on its way to the server behind, and the answer on its way back. */
class Exchange {
  url;
  #request;
  #response;
  #way;
  #paused = false;
  #started = false;
  /** @type {http.IncomingMessage | null} */
  #answer = null;
  /** @type {http.ClientRequest | null} */
  #ahead = null;

  /**
   * @param {Request} request @param {Response} response
   * @param {{upstream: number, buffered: boolean, config: Record<string, unknown> | null, addresses: [string, string][]}} way
   */
  constructor(request, response, way) {
    this.url = request.url ?? '/';
    this.#request = request;
    this.#response = response;
    this.#way = way;
  }

  start() {
    if (this.#paused || this.#started) return;
    this.#started = true;
    const headers = Object.fromEntries(Object.entries(this.#request.headers).filter(([name]) => !OWN_HEADERS.has(name)));
    const target = { host: '127.0.0.1', port: this.#way.upstream, method: this.#request.method, path: this.url, agent: false };
    const ahead = http.request({ ...target, headers: { ...headers, host: `127.0.0.1:${this.#way.upstream}` } });
    this.#ahead = ahead;
    ahead.on('error', () => this.destroy());
    ahead.on('response', (answer) => this.#back(answer));
    this.#request.pipe(ahead);
    // A function never hears that its viewer has left.
    if (!this.#way.buffered) this.#response.once('close', () => ahead.destroy());
  }

  /** @param {http.IncomingMessage} answer */
  #back(answer) {
    this.#answer = answer;
    answer.on('error', () => this.destroy());
    answer.on('aborted', () => this.destroy());
    const { buffered, config, addresses } = this.#way;
    const headers = Object.fromEntries(Object.entries(answer.headers).filter(([name]) => !OWN_HEADERS.has(name)));
    const policy = headers['content-security-policy'];
    if (policy) headers['content-security-policy'] = addresses.reduce((text, [from, to]) => text.replaceAll(from, to), String(policy));
    const status = answer.statusCode ?? 502;
    if (buffered || config) {
      this.#collect(answer, (body) => {
        delete headers['content-length'];
        this.#response.writeHead(status, headers).end(config ? withConfig(body, config) : body);
      });
      return;
    }
    this.#response.writeHead(status, headers);
    this.#response.flushHeaders();
    answer.pipe(this.#response);
    if (this.#paused) answer.pause();
  }

  /** @param {http.IncomingMessage} answer @param {(body: Buffer) => void} done */
  #collect(answer, done) {
    const pieces = [];
    answer.on('data', (piece) => pieces.push(piece));
    answer.on('end', () => done(Buffer.concat(pieces)));
  }

  pause() {
    this.#paused = true;
    this.#answer?.unpipe(this.#response);
    this.#answer?.pause();
  }

  resume() {
    if (!this.#paused) return;
    this.#paused = false;
    this.start();
    if (this.#answer && this.#response.headersSent) this.#answer.pipe(this.#response);
  }

  destroy() {
    this.#ahead?.destroy();
    this.#response.destroy();
  }
}

/** @param {Buffer} script @param {Record<string, unknown>} changes */
function withConfig(script, changes) {
  const json = /Object\.freeze\((\{[\s\S]*\})\)/.exec(script.toString());
  if (!json) throw new Error('config.js is not what infragen and `local` write');
  return `window.CONFIG = Object.freeze(${JSON.stringify({ ...JSON.parse(json[1]), ...changes })});\n`;
}
