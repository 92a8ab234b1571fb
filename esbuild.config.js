// Joins what tsc has compiled, and the packages that it uses, into a few files: one per command, and one for what commands
// share. Node finds and reads one large file much faster than the two hundred small ones that a push would need.
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { build } from "esbuild";

rmSync("dist", { recursive: true, force: true });
const HOW = {
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
};
const { metafile } = await build({
  ...HOW,
  metafile: true,
  entryPoints: ["build/main.js", "build/askpass.js", "build/demo/wrapper.js"],
});
// The door for programs shares no file with the command line: what it exports would split those of the start.
await build({
  ...HOW,
  entryPoints: ["build/library.js"],
  chunkNames: "library/[name]-[hash]",
});
copyTypes("library.d.ts");

// `ssh` starts it by its path.
chmodSync("dist/askpass.js", 0o755);

// The text of --help, so that showing it needs no parser.
const { renderHelp } = await import("./build/cli/program.js");
writeFileSync("dist/help.txt", renderHelp());

/** What a declaration says of others goes along, and no more. */
function copyTypes(path, done = new Set()) {
  if (done.has(path)) return;
  done.add(path);
  const to = join("dist", "types", path);
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(join("build", path), to);
  const text = readFileSync(to, "utf8");
  for (const [, name] of text.matchAll(/from "(\.[^"]+)\.ts"/g)) {
    copyTypes(join(dirname(path), `${name}.d.ts`), done);
  }
}

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
