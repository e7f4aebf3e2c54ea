/**
 * The page's words in English. Every other language has the same names, with texts and functions in the same places; a test compares.
 * Numbers and times come in as they are to be read.
 */

/** @param {string} count @param {string} one @param {string} many */
const plural = (count, one, many) => `${count} ${count === '1' ? one : many}`;

export default Object.freeze({
  /** What index.html shows, by the names that stand there. */
  page: Object.freeze({
    title: 'Live dashboard',
    connection: 'Connection',
    latency: 'latency ',
    latencyTitle: 'How long the last sign of life took from the server',
    lastEvent: 'last event ',
    showing: 'Showing',
    everything: 'Everything',
    new: 'New',
    edit: 'Edit',
    delete: 'Delete',
    filter: 'Filter',
    filterHint: 'AAPL, MS',
    filterTitle: 'Narrows everything to what begins like this; between quotes, to this one, a quote in it written twice',
    export: 'Export',
    itemsCsv: 'Items, CSV',
    itemsJson: 'Items, JSON',
    historyCsv: 'Steps of the chart, CSV',
    historyJson: 'Steps of the chart, JSON',
    totals: 'Totals',
    shares: 'Share of each label',
    lastHour: 'Last hour',
    items: 'items',
    ranges: 'Range of chart and lines',
    table: 'Table',
    chart: 'Chart',
    tickers: 'Tickers',
    ticker: 'Ticker',
    count: 'Count',
    lastLabel: 'Last label',
    score: 'Score',
    change: 'Change',
    changeTitle: 'Mean score of the last quarter of the range, less that of what is before it',
    updated: 'Updated',
    feed: 'Live feed',
    notices: 'Notices',
    dismiss: 'Dismiss',
    retry: 'Retry now',
    close: 'Close',
    configurationHint: 'A configuration shows numbers and updates of what it names only. Put commas between names.',
    configurationAnonymous: ' It is kept for this browser.',
    name: 'Name',
    nameOfTickers: 'AAPL, MSFT',
    tickersHint: 'At least one, with commas between them.',
    cancel: 'Cancel',
    save: 'Save',
  }),

  /** What the badge says. */
  phases: Object.freeze({
    connecting: 'Connecting',
    live: 'Live',
    resumed: 'Resumed',
    behind: 'Behind',
    polling: 'Polling',
    refused: 'Refused',
    offline: 'Offline',
    suspended: 'Suspended',
    signIn: 'Sign in',
  }),

  /** Why a stream does not flow, and what there is to do. */
  trouble: Object.freeze({
    unreachable: 'The stream cannot be reached.',
    silent: 'The stream has gone silent.',
    late: 'Events arrive late: something on the way holds them back.',
    status: 'The server gives this page no stream: either the address in config.js is wrong, or this page may not have it.',
    full: 'The server has no room for another page. It goes on by itself as soon as there is some.',
    unavailable: 'The server cannot say now who may have this stream.',
    other: 'The stream is not to be had.',
    noNetwork: 'This device has no network. The page goes on by itself as soon as there is one.',
    signIn: 'This page needs a sign-in. Sign in where you do for this site, then come back: it goes on by itself.',
    polling: (/** @type {string} */ span) => `Until it flows again, this page asks for news every ${span}.`,
    old: 'What is shown may be old.',
    nextTry: (/** @type {string} */ span) => `Next try in ${span}.`,
    trying: 'Trying again.',
  }),

  /** What of the feed is missing after a gap. */
  gap: Object.freeze({
    text: (/** @type {string} */ why) => `Some updates may be missing from the feed${why === '' ? '' : `: ${why}`}. All numbers are current.`,
    unknown: 'the server did not know the last position of this page',
    foreign: 'the server reads another table now',
    expired: 'this page was away for too long',
    overflow: 'too much happened while this page was away',
  }),

  /** Times and spans. */
  times: Object.freeze({
    now: 'just now',
    ago: (/** @type {string} */ span) => `${span} ago`,
    asOf: (/** @type {string} */ time) => `As of ${time}`,
    lastEvent: (/** @type {string} */ time) => `Last event: ${time}`,
    /** A window that is no range of its own. */
    totalOfHours: (/** @type {string} */ hours) => `Total, last ${hours} h`,
    totalOfMinutes: (/** @type {string} */ minutes) => `Total, last ${minutes} min`,
    withinHours: (/** @type {string} */ hours) => `in the last ${plural(hours, 'hour', 'hours')}`,
    withinMinutes: (/** @type {string} */ minutes) => `in the last ${plural(minutes, 'minute', 'minutes')}`,
  }),

  /** The ranges, by their names in the address: on a button, as a heading, within a sentence. */
  ranges: Object.freeze({
    '15m': Object.freeze({ text: '15 min', last: 'last 15 minutes', within: 'in the last 15 minutes' }),
    '1h': Object.freeze({ text: '1 h', last: 'last hour', within: 'in the last hour' }),
    '6h': Object.freeze({ text: '6 h', last: 'last 6 hours', within: 'in the last 6 hours' }),
    '24h': Object.freeze({ text: '24 h', last: 'last 24 hours', within: 'in the last 24 hours' }),
    '7d': Object.freeze({ text: '7 d', last: 'last 7 days', within: 'in the last 7 days' }),
    '30d': Object.freeze({ text: '30 d', last: 'last 30 days', within: 'in the last 30 days' }),
  }),

  totals: Object.freeze({
    instance: (/** @type {string} */ connections, /** @type {string} */ uptime) => `Instance has ${plural(connections, 'connection', 'connections')}, up ${uptime}`,
    stream: (/** @type {string} */ id) => `Stream ${id}`,
  }),

  chart: Object.freeze({
    withScores: 'Sentiment over time',
    withoutScores: 'Over time',
    reading: 'Reading the history.',
    unread: 'The history could not be read yet.',
    nothing: (/** @type {string} */ within) => `Nothing ${within}.`,
    unknown: (/** @type {string} */ last, /** @type {string} */ span) => `${last}, ${span} of it not known`,
    other: 'other',
    mean: 'mean score',
    from: 'From',
    meanScore: 'Mean score',
    part: (/** @type {string} */ count, /** @type {string} */ label) => `${count} ${label}`,
    latest: (/** @type {string} */ score) => ` Latest mean score ${score}.`,
    summary: (/** @type {string} */ last, /** @type {string} */ total, /** @type {string} */ parts, /** @type {string} */ latest) =>
      `${last}: ${plural(total, 'item', 'items')}, ${parts}.${latest} The button Table shows the numbers.`,
    caption: (/** @type {string} */ within, /** @type {string} */ total, /** @type {string} */ span) =>
      `Items ${within}, ${total} in all, by ${span}, newest first`,
    changed: (/** @type {string} */ recent, /** @type {string} */ before) => `Mean score of the last quarter of the range ${recent}, before it ${before}`,
    changedFromNothing: (/** @type {string} */ recent) => `Mean score of the last quarter of the range ${recent}; none before it`,
    noRecentScore: 'No score in the last quarter of the range',
  }),

  /** What is behind a bar. */
  step: Object.freeze({
    reading: 'Reading the items.',
    nothing: 'There are none.',
    newest: (/** @type {string} */ count) => `The newest ${count} are listed; the export has all.`,
    onlySums: 'Of hours before the window there are counts only.',
  }),

  tickers: Object.freeze({
    some: (/** @type {string} */ shown, /** @type {string} */ all) => `${shown} of ${all}`,
    noMatch: 'None is called like this.',
    noTicker: 'No item has any.',
    tooMany: (/** @type {string} */ most) => `More than ${most} are called like this. The most frequent of them are shown.`,
  }),

  /** A table that shows nothing: what may be the matter, and what to do. */
  empty: Object.freeze({
    title: (/** @type {string} */ within) => `Nothing ${within}`,
    intro: 'The stream is open and the table was read: no row of it counts. What is usually the matter:',
    noRows: 'No row has been written yet. A row shows here a few seconds after it was.',
    oldRows: (/** @type {string} */ within) => `No row has a time ${within}, or times are written in another form than \`data.time_format\` says.`,
    otherLabels: (/** @type {string} */ labels) => `Rows have other labels than ${labels}: those are the ones of \`data.labels\`.`,
    otherNames: 'Rows call label, time or key something else than `data.attributes` and `data.keys` say, or are not in the index that is read.',
    doctor: '`infragen doctor` compares the table with the manifest; the log of the stream function says what was skipped, and why.',
    narrowed: 'There is nothing for this filter. Without it there may be.',
    saved: 'There is nothing of what this configuration names.',
  }),

  feed: Object.freeze({
    waiting: 'Waiting for the first update.',
    noMatch: 'No update of these yet.',
    pause: 'Pause',
    resume: 'Resume',
    newWhilePaused: (/** @type {string} */ count) => `${count} new while paused`,
    soFar: (/** @type {string} */ count) => `${count} so far`,
    gap: 'Updates may be missing here',
    earlier: 'Before this page was opened',
    revised: 'revised',
    confident: (/** @type {string} */ share) => `${share} confident`,
    paused: 'Paused: the stream has ended, which saves money, and all numbers stand still. It goes on where it stopped.',
  }),

  /** The file of items: how far it is, and what it has. */
  export: Object.freeze({
    soFar: (/** @type {string} */ count) => `${plural(count, 'item', 'items')} so far`,
    done: (/** @type {string} */ count) => `${plural(count, 'item', 'items')} saved.`,
    cut: (/** @type {string} */ count) => `The newest ${count} items are saved, older ones are left out: a filter or a shorter range has fewer.`,
    noOlder: ' They are those that the totals count: of what is older there are counts only.',
    changed: 'The columns have changed meanwhile: begin anew.',
    failed: (/** @type {string} */ why) => `Nothing is saved. ${why}`,
  }),

  details: Object.freeze({
    link: 'Link',
    label: 'Label',
    score: 'Score',
    confidence: 'Confidence',
    source: 'Source',
    time: 'Time',
    item: 'Item',
  }),

  configurations: Object.freeze({
    everything: 'Everything',
    unknown: 'Saved configuration',
    new: 'New configuration',
    edit: 'Edit configuration',
    gone: 'The saved configuration that was shown is not there any more, so here is everything.',
    deleted: (/** @type {string} */ name) => `“${name}” is deleted.`,
    undo: 'Undo',
    noName: 'Give it a name.',
    nameTooLong: (/** @type {number} */ most) => `The name has at most ${most} characters.`,
    noTicker: 'Name at least one.',
    tooManyTickers: (/** @type {number} */ most) => `At most ${most} of them.`,
    tickerTooLong: (/** @type {number} */ most, /** @type {string} */ tickers) => `Each has at most ${most} bytes: ${tickers} has more.`,
  }),

  /** What went wrong with a request. */
  rest: Object.freeze({
    serverSays: (/** @type {string} */ detail) => detail,
    tryAgainIn: (/** @type {number} */ seconds) => ` Try again in ${seconds} s.`,
    status: (/** @type {number} */ status) => `The server answered with status ${status}.`,
    notJson: 'The server answered something that is not JSON.',
    tooSlow: 'The server took too long to answer.',
    unreachable: 'The server cannot be reached.',
  }),

  /** What is wrong with config.js, for whoever put the page there. */
  config: Object.freeze({
    missing: 'config.js is missing or sets no CONFIG. Render it, then reload.',
    wrong: (/** @type {string} */ key, /** @type {string} */ rule) => `${key} in config.js must be ${rule}.`,
    rules: Object.freeze({
      url: 'a URL, or empty for the same origin',
      names: 'a list of at least one name',
      keys: 'one name for each of LABELS, or left out',
      name: 'a name',
      text: 'a text, or left out',
      milliseconds: 'a positive number of milliseconds',
      oneOf: (/** @type {string} */ words) => `one of ${words}, or left out`,
      flag: 'true or false, or left out',
      goodbye: '`beacon` or `signed`, or left out',
      accent: 'pairs of colours such as `#3556d8`, for the light theme and the dark one, or left out',
      logo: 'a picture as a data: URL, or left out',
    }),
    unknownZone: (/** @type {string} */ zone) => `This browser does not know the time zone “${zone}”: times are those of this device.`,
  }),
});
