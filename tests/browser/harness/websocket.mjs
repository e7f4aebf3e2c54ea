/**
 * The part of WebSocket that talking to Firefox needs: text both ways, on this machine. Node has a client of its own from
 * release 22 on; until that is the oldest that we run on, this spares a package.
 */

import { randomBytes } from 'node:crypto';
import http from 'node:http';

const TEXT = 1;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

export class WebSocketClient {
  /** @type {(text: string) => void} */
  onText = () => undefined;
  #socket;
  #rest = Buffer.alloc(0);
  /** @type {Buffer[]} */
  #pieces = [];

  constructor(socket, head) {
    this.#socket = socket;
    socket.on('error', () => undefined);
    socket.on('data', (data) => this.#take(data));
    if (head.length > 0) this.#take(head);
  }

  /** @param {string} url @returns {Promise<WebSocketClient>} */
  static connect(url) {
    const { hostname, port, pathname } = new URL(url);
    return new Promise((resolve, reject) => {
      const request = http.request({
        hostname, port, path: pathname,
        headers: { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': randomBytes(16).toString('base64') },
      });
      request.once('error', reject);
      request.once('response', (answer) => reject(new Error(`${url} answered ${answer.statusCode}`)));
      request.once('upgrade', (_, socket, head) => resolve(new WebSocketClient(socket, head)));
      request.end();
    });
  }

  /** @param {string} text */
  send(text) {
    this.#write(TEXT, Buffer.from(text));
  }

  close() {
    this.#write(CLOSE, Buffer.alloc(0));
    this.#socket.destroy();
  }

  /** @param {number} kind @param {Buffer} payload */
  #write(kind, payload) {
    const long = payload.length > 0xffff;
    const middle = payload.length > 125;
    const head = Buffer.alloc(2 + (long ? 8 : middle ? 2 : 0));
    head[0] = 0x80 | kind;
    head[1] = 0x80 | (long ? 127 : middle ? 126 : payload.length);
    if (long) head.writeBigUInt64BE(BigInt(payload.length), 2);
    else if (middle) head.writeUInt16BE(payload.length, 2);
    // A client must mask what it sends, and Firefox does not take zeros for a mask.
    const mask = randomBytes(4);
    const masked = Buffer.from(payload.map((byte, index) => byte ^ mask[index % 4]));
    this.#socket.write(Buffer.concat([head, mask, masked]));
  }

  /** @param {Buffer} data */
  #take(data) {
    this.#rest = this.#rest.length === 0 ? data : Buffer.concat([this.#rest, data]);
    for (;;) {
      const { length: have } = this.#rest;
      if (have < 2) return;
      const short = this.#rest[1] & 0x7f;
      const start = short === 127 ? 10 : short === 126 ? 4 : 2;
      if (have < start) return;
      const length = short === 127 ? Number(this.#rest.readBigUInt64BE(2)) : short === 126 ? this.#rest.readUInt16BE(2) : short;
      if (have < start + length) return;
      const [first, payload] = [this.#rest[0], this.#rest.subarray(start, start + length)];
      this.#rest = this.#rest.subarray(start + length);
      this.#frame(first, payload);
    }
  }

  /** @param {number} first @param {Buffer} payload */
  #frame(first, payload) {
    const kind = first & 0x0f;
    if (kind === PING) this.#write(PONG, payload);
    if (kind > 2) return;
    this.#pieces.push(payload);
    if ((first & 0x80) === 0) return;
    const text = Buffer.concat(this.#pieces).toString();
    this.#pieces = [];
    this.onText(text);
  }
}
