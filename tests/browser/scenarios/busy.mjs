/**
 * A busy table: more happened within the hour than the page reads item by item, and the chart has all of it.
 */

const ITEMS = 1_500;
/** Rows of one request, by DynamoDB's rule. */
const BATCH = 25;
/** The oldest row, so that none leaves the hour while this runs. */
const AGO_MS = 50 * 60_000;
const LABELS = ['positive', 'neutral', 'negative'];

/** @type {import('./index.mjs').Scenario[]} */
export const busy = [{ name: 'busy', about: 'more items within the hour than are read: the chart has them all', run }];

/** @param {import('../harness/stage.mjs').Stage} stage */
async function run(stage) {
  const db = await stage.dynamoDb();
  const table = await db.table();
  const now = Date.now();
  const rows = Array.from({ length: ITEMS }, (_, index) => row(index, now - (AGO_MS * (index + 1)) / ITEMS));
  for (let first = 0; first < ITEMS; first += BATCH) {
    const requests = rows.slice(first, first + BATCH).map((Item) => ({ PutRequest: { Item } }));
    await db.call('BatchWriteItem', { RequestItems: { [table.env.SENTIMENTS_TABLE]: requests } });
  }
  const local = await stage.local({ ...db.env, ...table.env, STORE: 'dynamodb' });
  const browser = await stage.chromium([new URL(local.page).origin, local.stream]);
  const tab = await browser.open(local.page);
  await tab.untilCounting();
  const said = () => document.getElementById('chart')?.getAttribute('aria-label') ?? '';
  const each = LABELS.map((label) => `${ITEMS / LABELS.length} ${label}`).join(', ');
  const expected = `Last hour: ${ITEMS.toLocaleString('en')} items, ${each}.`;
  await stage.checks.run('the chart has every item of the hour', async () => {
    await tab.until(expected, said, (text) => text.startsWith(expected));
  });
  await stage.checkClean([tab]);
}

/** @param {number} index @param {number} at */
function row(index, at) {
  return {
    source_id: { S: `row-${index}` },
    timestamp: { S: new Date(at).toISOString() },
    sentiment: { S: LABELS[index % LABELS.length] },
    score: { N: '0.5' },
    matched_tickers: { L: [{ S: 'AAPL' }] },
    status: { S: 'analyzed' },
  };
}
