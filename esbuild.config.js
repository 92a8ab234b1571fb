// Joins what tsc has compiled, and the packages that it uses, into a few files: one per command, and one for what commands
// share. Node finds and reads one large file much faster than the two hundred small ones that a push would need.
import { chmodSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

rmSync("dist", { recursive: true, force: true });
const { metafile } = await build({
  metafile: true,
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
  // Compiled parts: ssh2 does without its own, the keychain is loaded when a token is asked for.
  external: ["*.node", "cpu-features", "@napi-rs/keyring"],
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

// Whoever gets a copy of a package gets its licence.
const folders = Object.keys(metafile.inputs).map(
  (path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0],
);
const byName = (a, b) => a.localeCompare(b);
const licences = [...new Set(folders)]
  .filter(Boolean)
  .toSorted(byName)
  .map((folder) => {
    const { name, version, license } = JSON.parse(
      readFileSync(join(folder, "package.json"), "utf8"),
    );
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file === undefined ? "" : readFileSync(join(folder, file), "utf8");
    return `${name} ${version} (${license})\n\n${text.trim()}\n`;
  });
writeFileSync("dist/licences.txt", licences.join(`\n${"-".repeat(80)}\n\n`));
