// better-sse as its documentation shows it: `better_sse.mjs PORT RATE EVERY_MS MODULES`.
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [port, rate, every, modules] = process.argv.slice(2);
const entry = createRequire(import.meta.url).resolve(`${modules}/better-sse`);
const { createChannel, createSession } = (await import(pathToFileURL(entry).href)).default;

const channel = createChannel();
let n = 0;
let owed = 0;
setInterval(() => {
  for (owed += (Number(rate) * Number(every)) / 1000; owed >= 1; owed -= 1) {
    n += 1;
    const item_id = `microsoft-wins-long-term-contract-${String(n).padStart(10, "0")}`;
    const rest = { ticker: "MSFT", score: 0.642, label: "positive", confidence: 0.871, source: "market-brief", at: Date.now() };
    const about = { title: "Microsoft wins long-term contract", url: `https://example.com/MSFT/${item_id}`, author: "B. Okafor" };
    channel.broadcast({ n, item_id, ...rest, ...about }, "update", { eventId: String(n) });
  }
}, Number(every));

createServer(async (req, res) => {
  const session = await createSession(req, res);
  session.push({}, "hello");
  channel.register(session);
}).listen(Number(port), "127.0.0.1", 4096);
