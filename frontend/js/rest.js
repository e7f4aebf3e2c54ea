/**
 * Asks the dashboard function, and says in one sentence what went wrong. The only file that knows fetch. What the answers mean is
 * known elsewhere.
 */

import { TEXT } from './words.js';

const TIMEOUT_MS = 10_000;
const PREFIX = '/api/v2';
const SESSION_KEY = 'session';

/**
 * @typedef {{field: string, detail: string}} FieldError
 * @typedef {{token: string | null, expiresAt: number}} Session `token` is null where only the cookie holds it
 * @typedef {object} Environment what the browser provides, replaceable in tests
 * @property {typeof fetch} fetch
 * @property {(text: string) => Promise<string>} sha256 in hexadecimal
 * @property {import('./storage.js').Storage} storage
 * @property {() => number} now
 */

/** What a reader is told when a request failed. */
export class RestError extends Error {
  /**
   * @param {string} sentence
   * @param {number | null} status null where nobody answered
   * @param {readonly FieldError[]} [fields] what is wrong with which part of what was sent
   */
  constructor(sentence, status, fields = []) {
    super(sentence);
    this.status = status;
    this.fields = fields;
  }
}

export class Rest {
  #base;
  #authMode;
  #isSigned;
  #env;
  /** The numbers ask for a user too. */
  #isPrivate;
  /** Hears with each answer what time it is at the server, where that is told. @type {(time: number) => void} */
  onTime = () => {};
  /** A user is being made, for all who wait for one. @type {Promise<void> | null} */
  #becoming = null;

  /** @param {Pick<import('./config.js').Config, 'restBase' | 'authMode' | 'isPrivate' | 'signedRequests'>} config @param {Environment} env */
  constructor({ restBase, authMode, isPrivate, signedRequests }, env) {
    this.#base = `${restBase}${PREFIX}`;
    this.#authMode = authMode;
    this.#isPrivate = isPrivate;
    this.#isSigned = signedRequests;
    this.#env = env;
  }

  /** Whether this browser has been given a user; in other modes somebody else knows. */
  get hasSession() {
    return this.#authMode === 'session' ? this.#session() !== null : this.#authMode !== 'off';
  }

  /** The token for where no cookie gets to; null without one. @returns {string | null} */
  get token() {
    return this.#session()?.token ?? null;
  }

  /** Whether numbers and global stream ask for a user too: the config says so, or a 401 has. */
  get isPrivate() {
    return this.#isPrivate;
  }

  /** Whether there must be a user before anything is asked for, and this page can make itself one. */
  get lacksUser() {
    return this.#isPrivate && this.#authMode === 'session' && !this.hasSession;
  }

  /** Returns the address of something for a link, which sends no header: with the token where numbers ask for one. @param {string} path */
  link(path) {
    const { token } = this;
    const isAsked = this.#isPrivate && !this.#isSigned && token !== null;
    return `${this.#base}${path}${isAsked ? `${path.includes('?') ? '&' : '?'}token=${encodeURIComponent(token)}` : ''}`;
  }

  /** Makes a user where one is lacking. */
  async admitted() {
    if (this.lacksUser) await this.#becomeOnce();
  }

  /** @param {string} path @param {AbortSignal} [signal] @returns {Promise<any>} */
  get(path, signal) {
    return this.#read(path, asJson, signal);
  }

  /** Asks for a page as it is sent. @param {string} path @param {AbortSignal} [signal] @returns {Promise<{text: string, next: string | null}>} */
  page(path, signal) {
    return this.#read(path, asPage, signal);
  }

  /** @param {string} path @param {(answer: Response) => Promise<any>} take @param {AbortSignal} [signal] @returns {Promise<any>} */
  async #read(path, take, signal) {
    const isConfiguration = path.startsWith('/configurations');
    if (!isConfiguration) await this.admitted();
    const { token } = this;
    const wasPrivate = this.#isPrivate;
    try {
      return await this.#send('GET', path, undefined, signal, take);
    } catch (error) {
      if (!(error instanceof RestError) || error.status !== 401 || isConfiguration) throw error;
      this.#isPrivate = true;
      if (this.#authMode !== 'session') throw error;
      // A token that was not sent may be good; one that was sent, or none, is replaced, unless that has been done meanwhile.
      if (this.token === token && (wasPrivate || token === null)) await this.#becomeOnce();
      return this.#send('GET', path, undefined, signal, take);
    }
  }

  /** Changes something of the caller's, who becomes a user by that if they are none yet. @param {string} method @param {string} path @param {unknown} [body] */
  async change(method, path, body) {
    if (!this.hasSession) await this.#become();
    try {
      return await this.#send(method, path, body);
    } catch (error) {
      // A session that has ended, or whose key was changed. Its configurations are gone; what is being saved need not be.
      if (!(error instanceof RestError) || error.status !== 401 || this.#authMode !== 'session') throw error;
      await this.#become();
      return this.#send(method, path, body);
    }
  }

  /** Forgets the user. */
  forget() {
    this.#env.storage.set(SESSION_KEY, null);
  }

  async #becomeOnce() {
    this.#becoming ??= this.#become().finally(() => (this.#becoming = null));
    await this.#becoming;
  }

  async #become() {
    this.forget();
    const { token, expires_at: expiresAt } = await this.#send('POST', '/auth/anonymous');
    // Where the cookie serves, the token is nowhere that a script could read it.
    this.#env.storage.set(SESSION_KEY, JSON.stringify({ token: this.#isSigned ? null : token, expiresAt: Date.parse(expiresAt) }));
  }

  /** @returns {Session | null} */
  #session() {
    try {
      const session = JSON.parse(this.#env.storage.get(SESSION_KEY) ?? 'null');
      return session !== null && !(session.expiresAt <= this.#env.now()) ? session : null;
    } catch {
      return null; // somebody else's value under this key
    }
  }

  /**
   * @param {string} method @param {string} path @param {unknown} [body] @param {AbortSignal} [signal]
   * @param {(answer: Response) => Promise<any>} [take] what is made of an answer; undefined where it is not what it should be
   * @returns {Promise<any>}
   */
  async #send(method, path, body, signal, take = asJson) {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers = await this.#headers(method, path, text);
    const controller = new AbortController();
    const abort = () => controller.abort();
    const timer = setTimeout(abort, TIMEOUT_MS);
    signal?.addEventListener('abort', abort);
    if (signal?.aborted) abort();
    try {
      const answer = await this.#env.fetch(`${this.#base}${path}`, { method, headers, body: text, signal: controller.signal });
      this.#tell(answer.headers);
      const data = await (answer.ok ? take : asJson)(answer);
      if (!answer.ok) throw failure(answer.status, data);
      if (data === undefined) throw new RestError(TEXT.rest.notJson, answer.status);
      return data;
    } catch (error) {
      if (error instanceof RestError || signal?.aborted) throw error;
      throw new RestError(controller.signal.aborted ? TEXT.rest.tooSlow : TEXT.rest.unreachable, null);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    }
  }

  /** A cache says how old it is. @param {Headers} headers */
  #tell(headers) {
    const time = Date.parse(headers.get('date') ?? '') + 1_000 * Number(headers.get('age') ?? 0);
    if (!Number.isNaN(time)) this.onTime(time);
  }

  /** @param {string} method @param {string} path @param {string | undefined} text */
  async #headers(method, path, text) {
    /** @type {Record<string, string>} */
    const headers = {};
    if (text !== undefined) headers['content-type'] = 'application/json';
    // CloudFront signs with the hash of the body, which it leaves to the page, and puts its signature where the token would be.
    if (this.#isSigned && method !== 'GET') headers['x-amz-content-sha256'] = await this.#env.sha256(text ?? '');
    // What everybody may read is asked for without: another origin would be asked first whether it takes the header.
    if (!this.#isSigned && this.token !== null && (this.#isPrivate || path.startsWith('/configurations'))) headers.authorization = `Bearer ${this.token}`;
    return headers;
  }
}

/** @param {Response} answer @returns {Promise<any>} */
const asJson = (answer) => (answer.status === 204 ? Promise.resolve(null) : answer.json().catch(() => undefined));

/** A page says in a header where the next one is, whatever its form. @param {Response} answer */
async function asPage(answer) {
  const text = await answer.text();
  const [, next = null] = /[?&]after=([^&>]+)/.exec(answer.headers.get('link') ?? '') ?? [];
  return { text, next: next && decodeURIComponent(next) };
}

/** @param {number} status @param {any} data what came as JSON, if it was JSON */
function failure(status, data) {
  const fields = Array.isArray(data?.errors) ? data.errors.filter((error) => typeof error?.detail === 'string') : [];
  const details = fields.length > 0 ? fields.map(({ detail }) => sentence(detail)).join(' ') : null;
  const detail = typeof data?.detail === 'string' && data.detail !== '' ? sentence(data.detail) : null;
  const wait = status === 429 && Number.isFinite(data?.retry_after) ? TEXT.rest.tryAgainIn(Math.ceil(data.retry_after)) : '';
  const said = details ?? detail;
  return new RestError((said === null ? TEXT.rest.status(status) : TEXT.rest.serverSays(said)) + wait, status, fields);
}

/** @param {string} text */
function sentence(text) {
  const start = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(start) ? start : `${start}.`;
}
