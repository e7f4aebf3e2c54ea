// Decodes event streams with eventsource-parser: a JSON array of arrays of base64 pieces in, a JSON array of arrays of
// events out. The package is looked for in the folder given as the only argument.
const { createRequire } = require("node:module");
const { join, resolve } = require("node:path");

const { createParser } = createRequire(join(resolve(process.argv[2]), "x.js"))("eventsource-parser");

function events(pieces) {
  const out = [];
  const parser = createParser({
    onEvent: (event) => out.push({ event: event.event ?? "message", data: event.data, id: event.id ?? "", retry: null }),
  });
  const decoder = new TextDecoder();
  for (const piece of pieces) parser.feed(decoder.decode(Buffer.from(piece, "base64"), { stream: true }));
  return out;
}

let text = "";
process.stdin.setEncoding("utf8");
process.stdin.on("data", (data) => (text += data));
process.stdin.on("end", () => process.stdout.write(JSON.stringify(JSON.parse(text).map(events))));
