/**
 * What a page did that it must not do.
 */

/** What browsers write on the console by themselves when a request fails; a page cannot prevent it. */
const NETWORK = [
  /^Failed to load resource: net::ERR_/,
  /^Failed to load resource: the server responded with a status of /,
  // A dead server allows no other origin either, and browsers say only that.
  /^Cross-Origin Request Blocked: .*\(Reason: CORS request did not succeed\)/,
  /^Firefox can.t establish a connection to the server at /,
  /^The connection to .* was interrupted while the page was loading/,
  /^Access to (resource|fetch) at '[^']*' from origin '[^']*' has been blocked by CORS policy: No 'Access-Control-Allow-Origin' header/,
];

export class Watch {
  /** @type {string[]} */
  console = [];
  /** @type {string[]} */
  network = [];
  /** @type {string[]} */
  pageErrors = [];
  /** @type {string[]} */
  policy = [];
  /** @type {string[]} requests to others than the test's own servers */
  foreign = [];
  /** @type {Set<string>} */
  #origins;

  /** @param {string[]} origins */
  constructor(origins) {
    this.#origins = new Set(origins);
  }

  /** An error on the console. @param {string} text @param {string} from */
  said(text, from = '') {
    const line = from ? `${text} (${from})` : text;
    if (/Content Security Policy/i.test(text)) this.policy.push(line);
    else if (NETWORK.some((pattern) => pattern.test(text))) this.network.push(line);
    else this.console.push(line);
  }

  /** An error that nobody caught; Firefox calls failed requests so too. @param {string} text @param {string} from */
  threw(text, from = '') {
    if (NETWORK.some((pattern) => pattern.test(text))) this.network.push(text);
    else this.pageErrors.push(from ? `${text} (${from})` : text);
  }

  /** @param {string} address */
  requested(address) {
    const url = new URL(address);
    if (['http:', 'https:', 'ws:', 'wss:'].includes(url.protocol) && !this.#origins.has(url.origin)) this.foreign.push(address);
  }

  /** What was wrong; empty where nothing was. @param {{network: boolean}} may */
  verdict({ network }) {
    const wrong = [
      ...this.console, ...this.pageErrors.map((text) => `uncaught: ${text}`), ...this.policy, ...this.foreign.map((url) => `asked ${url}`),
      ...(network ? [] : this.network),
    ];
    return wrong.slice(0, 5).join('; ');
  }
}
