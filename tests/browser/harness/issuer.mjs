/**
 * An issuer of tokens: a key, a server that shows its public half, and tokens signed with it.
 */

import { generateKeyPairSync, sign } from 'node:crypto';

import { Gate } from './gate.mjs';

const AUDIENCE = 'dashboard';
const LIFETIME_SECS = 3_600;
const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

export class Issuer {
  #keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  #gate;

  /** @param {Gate} gate */
  constructor(gate) {
    this.#gate = gate;
    const jwk = { ...this.#keys.publicKey.export({ format: 'jwk' }), kid: 'k', use: 'sig', alg: 'RS256' };
    gate.handle('/keys', (_, response) => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: [jwk] })));
  }

  /** @returns {Promise<Issuer>} */
  static async start() {
    return new Issuer(await Gate.open(0));
  }

  /** Variables with which the functions believe it. */
  get env() {
    return { AUTH_MODE: 'jwt', AUTH_ISSUER: this.#gate.url, AUTH_JWKS_URL: `${this.#gate.url}/keys`, AUTH_AUDIENCE: AUDIENCE };
  }

  /** @param {string} user */
  token(user) {
    const claims = { iss: this.#gate.url, sub: user, aud: AUDIENCE, exp: Math.floor(Date.now() / 1_000) + LIFETIME_SECS };
    const message = `${part({ alg: 'RS256', kid: 'k', typ: 'JWT' })}.${part(claims)}`;
    return `${message}.${sign('sha256', Buffer.from(message), this.#keys.privateKey).toString('base64url')}`;
  }

  close() {
    return this.#gate.close();
  }
}
