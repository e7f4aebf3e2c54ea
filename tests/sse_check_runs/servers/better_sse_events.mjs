// better-sse as its documentation shows it, under Node's own server: a session for each client, a channel for all of them.
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [port, modules] = process.argv.slice(2);
const entry = createRequire(import.meta.url).resolve(`${modules}/better-sse`);
const { createChannel, createSession } = (await import(pathToFileURL(entry).href)).default;

const EVERY_MS = 30;
// Short, so that the pings are seen within a test.
const PING_MS = 500;

const channel = createChannel();
let n = 0;
setInterval(() => {
  n += 1;
  channel.broadcast({ n }, "update", { eventId: String(n) });
}, EVERY_MS);

const bulk = createChannel();
setInterval(() => bulk.broadcast("x".repeat(65536), "bulk"), 2);

createServer(async (req, res) => {
  const session = await createSession(req, res, { keepAlive: PING_MS });
  (req.url === "/bulk" ? bulk : channel).register(session);
}).listen(Number(port), "127.0.0.1");
