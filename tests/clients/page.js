// Opens and closes EventSources as the test says, and reports what they hear. It adds nothing: reconnecting is the browser's.

const PAUSE_MS = 100;

/** @type {Map<number, {close: () => void}>} */
const sources = new Map();
const queue = [];
let batch = 0;
let sending = false;

const pause = () => new Promise((done) => setTimeout(done, PAUSE_MS));

async function post(body) {
  try {
    return (await fetch('/reports', { method: 'POST', body })).ok;
  } catch {
    return false;
  }
}

/** Sends one batch after the other; its number tells the test a repetition. */
async function send() {
  if (sending) return;
  sending = true;
  while (queue.length > 0) {
    batch += 1;
    const body = JSON.stringify({ batch, reports: queue.splice(0) });
    while (!(await post(body))) await pause();
  }
  sending = false;
}

function report(item) {
  queue.push(item);
  send();
}

function open(number, url, names) {
  const source = new EventSource(url);
  sources.set(number, source);
  const state = () => report({ source: number, state: source.readyState });
  source.addEventListener('open', state);
  source.addEventListener('error', state);
  for (const name of names) {
    source.addEventListener(name, ({ data }) => report({ source: number, event: name, data }));
  }
}

/** The same in a frame of the stream's own origin. */
function openFramed(number, url, names) {
  const frame = document.createElement('iframe');
  frame.src = new URL('/frame.html', url);
  const listen = ({ source, data: { ready, ...rest } }) => {
    if (source !== frame.contentWindow) return;
    if (ready) source.postMessage({ url, names }, '*');
    else report({ source: number, ...rest });
  };
  addEventListener('message', listen);
  document.body.append(frame);
  sources.set(number, {
    close() {
      removeEventListener('message', listen);
      frame.remove();
    },
  });
}

function close(number) {
  sources.get(number)?.close();
  sources.delete(number);
}

for (let done = 0; ;) {
  try {
    const answer = await fetch(`/commands?after=${done}`);
    for (const { command, source, url, names } of await answer.json()) {
      if (command === 'open') open(source, url, names);
      else if (command === 'open-framed') openFramed(source, url, names);
      else close(source);
      done += 1;
    }
  } catch {
    await pause();
  }
}
