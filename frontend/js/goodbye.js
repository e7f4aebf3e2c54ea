/**
 * Tells the server that this page reads a stream no more, which otherwise would run, and cost, to its own end: Lambda never
 * tells a function that its client has left. The only file that knows how such a message travels.
 */

/**
 * @typedef {'beacon' | 'signed'} Way how the message travels: CloudFront signs requests to a function by the hash of their
 *   body, which the page must send along, and a beacon carries no header
 * @typedef {object} Post what the browser provides, replaceable in tests
 * @property {(url: string, body: string) => boolean} beacon
 * @property {(url: string, body: string, headers: Record<string, string>) => Promise<unknown>} post outlives the page
 * @property {(text: string) => Promise<string>} sha256 in hexadecimal
 */

/** Says goodbye for streams, each once. */
export class Goodbye {
  #url;
  #way;
  #post;
  /** The stream that is open, and the hash of what will be said of it. */
  #streamId = '';
  #hash = '';

  /** @param {string} url @param {Way} way @param {Post} post */
  constructor(url, way, post) {
    this.#url = url;
    this.#way = way;
    this.#post = post;
  }

  /**
   * Takes note of the stream that is open now. Its hash is made here: when the page goes there is no time for it.
   * @param {string} streamId
   */
  async opened(streamId) {
    if (streamId === this.#streamId) return;
    this.#streamId = streamId;
    this.#hash = '';
    if (this.#way !== 'signed') return;
    const hash = await this.#post.sha256(body(streamId)).catch(() => '');
    if (streamId === this.#streamId) this.#hash = hash;
  }

  /** Takes note that the stream has ended by itself: there is nothing to be said. */
  ended() {
    this.#streamId = '';
  }

  /** Says that the stream has lost its reader. */
  say() {
    const streamId = this.#streamId;
    if (streamId === '') return;
    this.#streamId = '';
    if (this.#way === 'beacon') {
      this.#post.beacon(this.#url, body(streamId));
    } else if (this.#hash !== '') {
      const headers = { 'content-type': 'application/json', 'x-amz-content-sha256': this.#hash };
      // Nobody is left to hear of a failure; the stream then ends by its length.
      this.#post.post(this.#url, body(streamId), headers).catch(() => undefined);
    }
  }
}

/** @param {string} streamId */
function body(streamId) {
  return JSON.stringify({ stream_id: streamId });
}
