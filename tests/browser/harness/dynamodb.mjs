/**
 * DynamoDB Local, spoken to in its JSON protocol, and a table whose writer knows what a page must have heard.
 */

import path from 'node:path';

import { START_MS, WAIT_MS } from './clock.mjs';
import { ROOT } from './places.mjs';
import { freePorts, Program, scratch } from './program.mjs';

const LABELS = ['positive', 'neutral', 'negative'];
const TICKERS = ['AAPL', 'MSFT', 'NVDA', 'AMZN', 'TSLA'];
const CREDENTIAL = 'AWS4-HMAC-SHA256 Credential=tests/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0';

export class DynamoDb {
  #endpoint;
  #program;
  #tables = 0;

  /** @param {string} endpoint @param {Program | null} program */
  constructor(endpoint, program = null) {
    this.#endpoint = endpoint;
    this.#program = program;
  }

  /** @returns {Promise<DynamoDb>} */
  static async start() {
    const [port] = await freePorts(1);
    const program = new Program('DynamoDB Local', 'java', [
      '-Xmx256m', '-XX:TieredStopAtLevel=1', `-Djava.io.tmpdir=${scratch()}`, '-Djava.library.path=DynamoDBLocal_lib',
      '-jar', 'DynamoDBLocal.jar', '-inMemory', '-sharedDb', '-port', String(port),
    ], {
      cwd: process.env.DYNAMODB_LOCAL_DIR ?? path.join(ROOT, '.tools/dynamodb-local'),
      env: { PATH: process.env.PATH, JAVA_HOME: process.env.JAVA_HOME, DDB_LOCAL_TELEMETRY: '0' },
    });
    const db = new DynamoDb(`http://127.0.0.1:${port}`, program);
    await program.ready(() => db.call('ListTables', {}), START_MS);
    return db;
  }

  /** @param {string} operation @param {object} input @returns {Promise<any>} */
  async call(operation, input) {
    const answer = await fetch(this.#endpoint, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': `DynamoDB_20120810.${operation}`,
        'x-amz-date': '20260101T000000Z',
        authorization: CREDENTIAL, // it reads key and region, and verifies nothing
      },
      body: JSON.stringify(input),
      signal: AbortSignal.timeout(WAIT_MS),
    });
    const output = await answer.json();
    if (!answer.ok) throw new Error(`${operation}: ${JSON.stringify(output)}`);
    return output;
  }

  /** Variables with which a program finds the server. */
  get env() {
    return {
      AWS_ENDPOINT_URL_DYNAMODB: this.#endpoint, AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'tests', AWS_SECRET_ACCESS_KEY: 'tests',
    };
  }

  /** Both tables, under names of their own. @returns {Promise<Table>} */
  async table() {
    this.#tables += 1;
    const [items, users] = ['items', 'users'].map((name) => `${name}-${this.#tables}`);
    const attribute = (AttributeName) => ({ AttributeName, AttributeType: 'S' });
    const keys = (hash, range) => [{ AttributeName: hash, KeyType: 'HASH' }, { AttributeName: range, KeyType: 'RANGE' }];
    await this.call('CreateTable', {
      TableName: items,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: ['source_id', 'timestamp', 'sentiment'].map(attribute),
      KeySchema: keys('source_id', 'timestamp'),
      GlobalSecondaryIndexes: [{
        IndexName: 'by_sentiment',
        KeySchema: keys('sentiment', 'timestamp'),
        Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: ['score', 'confidence', 'source', 'status', 'matched_tickers'] },
      }],
    });
    await this.call('CreateTable', {
      TableName: users,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: ['PK', 'SK'].map(attribute),
      KeySchema: keys('PK', 'SK'),
    });
    return new Table(this, items, users);
  }

  async close() {
    await this.#program?.kill();
  }
}

/** A table, and what was written into it. */
export class Table {
  /** @type {{key: string, at: number}[]} each update that a page must hear of, and when it was there to be read */
  written = [];
  #db;
  #items;
  #users;
  #rows = 0;

  /** @param {DynamoDb} db @param {string} items @param {string} users */
  constructor(db, items, users) {
    this.#db = db;
    this.#items = items;
    this.#users = users;
  }

  get env() {
    return { ...this.#db.env, STORE: 'dynamodb', SENTIMENTS_TABLE: this.#items, USERS_TABLE: this.#users };
  }

  /**
   * Writes one row of now.
   * @param {{id?: string, tickers?: string[], label?: string, score?: number, source?: string}} row
   */
  async write(row = {}) {
    this.#rows += 1;
    const number = this.#rows;
    const { id = `row-${number}`, tickers = [TICKERS[number % TICKERS.length]], label = LABELS[number % LABELS.length] } = row;
    const Item = {
      source_id: { S: id },
      timestamp: { S: new Date().toISOString() },
      sentiment: { S: label },
      matched_tickers: { L: tickers.map((S) => ({ S })) },
      score: { N: String(row.score ?? ((number % 19) - 9) / 10) },
      confidence: { N: '0.9' },
      // With an end of its own, so that a text that contains it can be told from one that contains a longer one.
      source: { S: row.source ?? `${id}.` },
      status: { S: 'analyzed' },
    };
    await this.#db.call('PutItem', { TableName: this.#items, Item });
    const at = Date.now();
    this.written.push(...tickers.map((ticker) => ({ key: `${id} ${ticker}`, at })));
  }

  /**
   * Writes rows at a steady pace until it is stopped.
   * @param {number} perSecond
   */
  writer(perSecond) {
    const began = Date.now();
    let count = 0;
    let stopped = false;
    /** @type {unknown} */
    let failure = null;
    const loop = async () => {
      while (!stopped) {
        if (((Date.now() - began) / 1000) * perSecond <= count) {
          await new Promise((done) => setTimeout(done, Math.max(1, Math.min(50, 1000 / perSecond))));
          continue;
        }
        count += 1;
        await this.write();
      }
    };
    const running = loop().catch((error) => {
      failure = error;
    });
    return {
      /** Ends when the last row is written. */
      stop: async () => {
        stopped = true;
        await running;
        if (failure) throw failure;
      },
    };
  }
}
