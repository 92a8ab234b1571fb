// Joins what tsc has compiled, and the packages that it uses, into a few files: one per command, and one for what commands
// share. Node finds and reads one large file much faster than the two hundred small ones that a push would need.
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
  // Node parses all of it at every start; without comments and spaces in half the time.
  minifyWhitespace: true,
  lineLimit: 160,
  // Compiled parts that ssh2 does without.
  external: ["*.node", "cpu-features"],
  // What the CommonJS packages among them expect to find; ssh2's only file beside its own is for PuTTY's agent.
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url), __dirname = import.meta.dirname, __filename = import.meta.filename;',
  },
  logLevel: "warning",
});

// `ssh` starts it by its path.
chmodSync("dist/askpass.js", 0o755);

// The text of --help, so that showing it needs no parser.
const { renderHelp } = await import("./build/cli/program.js");
writeFileSync("dist/help.txt", renderHelp());
