// Joins what tsc has compiled, and the packages that it uses, into a few files. Node finds and reads one large file much
// faster than the two hundred small ones that a push would need; of a command that is not asked for nothing is run.
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { build } from "esbuild";

rmSync("dist", { recursive: true, force: true });

/**
 * Of ssh2 each part is set up when it is used: its server, its tunnels for HTTP and TLS hardly ever are. What node-ssh makes
 * folders with never is, and looks for itself how old node is. ChaCha20-Poly1305, which is WebAssembly with a memory of its
 * own, is set up at every start, but not offered to any host (remote/ssh-algorithms.ts), and so the processor is not asked
 * how well it would do.
 */
const lazySsh = {
  name: "lazy-ssh",
  setup(of) {
    of.onLoad({ filter: /ssh2\/lib\/index\.js$/ }, () => ({ contents: USED_OF_SSH2 }));
    of.onResolve({ filter: /^cpu-features$/ }, ({ path }) => ({ path, namespace: "none" }));
    of.onLoad({ filter: /./, namespace: "none" }, () => ({
      contents: "module.exports = () => {};",
    }));
    of.onLoad({ filter: /make-dir\/index\.js$/ }, () => ({ contents: "" }));
    of.onLoad({ filter: /ssh2\/lib\/protocol\/crypto\/poly1305\.js$/ }, () => ({
      contents: NO_POLY1305,
    }));
  },
};
const USED_OF_SSH2 = `module.exports = {
  get BaseAgent() { return require("./agent.js").BaseAgent; },
  get Client() { return require("./client.js"); },
  get Server() { return require("./server.js"); },
  utils: {
    get parseKey() { return require("./protocol/keyParser.js").parseKey; },
    get generateKeyPairSync() { return require("./keygen.js").generateKeyPairSync; },
  },
};`;

const NO_POLY1305 = `module.exports = async () => ({
  _malloc: () => 0,
  cwrap: () => () => { throw new Error("ChaCha20-Poly1305 is not offered"); },
});`;

const HOW = {
  outdir: "dist",
  outbase: "build",
  bundle: true,
  platform: "node",
  target: "node20",
  mainFields: ["module", "main"],
  plugins: [lazySsh],
  // Node parses all of it at every start; without comments and spaces in half the time.
  minifyWhitespace: true,
  lineLimit: 160,
  // Compiled parts: ssh2 does without its own, the keychain is loaded when a token is asked for.
  external: ["*.node", "@napi-rs/keyring"],
  logLevel: "warning",
};

/** What the command line loads when it needs it, each with all that it takes in one file. */
const PARTS = [
  { out: "program", in: "build/cli/program.js" },
  { out: "task-list", in: "build/output/task-list.js" },
  { out: "inquirer", in: "inquirer" },
];
const apart = {
  name: "apart",
  setup(of) {
    of.onResolve({ filter: /./ }, ({ path, kind, resolveDir }) => {
      if (kind !== "dynamic-import") return undefined;
      const part = PARTS.find((one) =>
        [path, relative(".", join(resolveDir, path))].includes(one.in),
      );
      return part && { path: `./${part.out}.cjs`, external: true };
    });
  },
};
// As CommonJS: node takes one large file of it in a third of the time that it needs for the same as modules.
const { metafile } = await build({
  ...HOW,
  metafile: true,
  format: "cjs",
  outExtension: { ".js": ".cjs" },
  plugins: [lazySsh, apart],
  // By `import()` node would first search the whole file for what it exports.
  supported: { "dynamic-import": false },
  define: { "import.meta.url": "__url" },
  banner: { js: 'const __url = require("node:url").pathToFileURL(__filename).href;' },
  entryPoints: ["build/main.js", ...PARTS],
});

const MODULES = {
  ...HOW,
  format: "esm",
  // What the CommonJS packages among them expect to find; ssh2's only file beside its own is for PuTTY's agent.
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url), __dirname = import.meta.dirname, __filename = import.meta.filename;',
  },
};
await build({ ...MODULES, entryPoints: ["build/askpass.js", "build/demo/wrapper.js"] });
await build({
  ...MODULES,
  splitting: true,
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
