#!/usr/bin/env node
// By `import` node would first look through the file for what it exports.
import { createRequire } from "node:module";
const { main } = createRequire(import.meta.url)("../dist/main.cjs");
process.exitCode = await main(process.argv.slice(2));
