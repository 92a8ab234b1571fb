#!/usr/bin/env node
// CommonJS, by the package.json beside it: node starts that 15 ms sooner than a module.
const { main } = require("../dist/main.cjs");
async function run() {
  process.exitCode = await main(process.argv.slice(2));
}
void run();
