// Joins what tsc has compiled into a few files: one per command, and one for what commands share. A start that reads
// hosts.json is a third faster for it. What is CommonJS stays outside: ssh2 does not survive a bundle.
import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

rmSync("dist", { recursive: true, force: true });
await build({
  entryPoints: ["build/main.js", "build/askpass.js", "build/demo/wrapper.js"],
  outdir: "dist",
  outbase: "build",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20",
  mainFields: ["module", "main"],
  chunkNames: "[name]-[hash]",
  external: [
    "@napi-rs/keyring",
    "commander",
    "inquirer",
    "listr2",
    "node-ssh",
    "ssh2",
    "write-file-atomic",
  ],
  logLevel: "warning",
});

// `ssh` starts it by its path.
chmodSync("dist/askpass.js", 0o755);

// The text of --help, so that showing it takes no parser.
const { renderHelp } = await import("./build/cli/program.js");
writeFileSync("dist/help.txt", renderHelp());
