import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { Module, createRequire } from "node:module";
import { homedir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import { Script } from "node:vm";
import { crc32 } from "node:zlib";

/** A file of ours that has been run. */
export interface Loaded<Exports> {
  readonly exports: Exports;
  /** Keeps what V8 has compiled of it so far for the next run, unless that is what it was loaded from. */
  keep(): void;
}

/**
 * Runs one of our CommonJS files as `require` would, from what V8 compiled in an earlier run where that was kept: a push
 * begins 60 to 90 ms earlier. Each `use` has a cache of its own, for it holds those functions alone that the use has needed. No
 * cache, or one that cannot be used, costs time and nothing else. V8 itself believes damaged data and dies of it (seen with
 * Node 20): a checksum is compared first.
 */
export function loadCompiled<Exports>(path: string, use: string): Loaded<Exports> {
  const source = readFileSync(path);
  const cache = findCache(use);
  const key = `sync-creds ${process.version} ${process.arch} ${source.length} ${crc32(source)}\n`;
  const kept = cache === undefined ? undefined : readCache(cache, key);
  const script = new Script(Module.wrap(source.toString("latin1")), {
    filename: path,
    ...(kept === undefined ? {} : { cachedData: kept }),
  });
  const run: (...values: unknown[]) => void = script.runInThisContext();
  const empty: Exports = Object.create(null);
  const module = { exports: empty };
  run.call(module.exports, module.exports, createRequire(path), module, path, dirname(path));
  return {
    exports: module.exports,
    keep() {
      if (cache === undefined || (kept !== undefined && script.cachedDataRejected !== true)) return;
      writeCache(cache, key, script.createCachedData());
    },
  };
}

/** By the custom of the platform. Undefined where the user wants none, and for the demo, which leaves nothing behind. */
function findCache(use: string): string | undefined {
  const { env, platform } = process;
  const isWanted = !env["NODE_DISABLE_COMPILE_CACHE"] && use !== "demo";
  if (!isWanted || !/^[a-z-]+$/.test(use)) return undefined;
  const isWindows = platform === "win32";
  const named = isWindows ? env["LOCALAPPDATA"] : env["XDG_CACHE_HOME"];
  const initial = isWindows ? join("AppData", "Local") : ".cache";
  const parent = named && isAbsolute(named) ? named : join(homedir(), initial);
  return join(parent, "sync-creds", `${use}.compiled`);
}

/** What follows the key and its checksum; undefined where it was not kept for just this, by us, and whole. */
function readCache(path: string, key: string): Buffer | undefined {
  try {
    const file = openSync(path, "r");
    try {
      // It will be run: nobody else may have written it.
      const { uid, mode } = fstatSync(file);
      if (process.getuid !== undefined && (uid !== process.getuid() || mode & 0o022))
        return undefined;
      const bytes = readFileSync(file);
      const begin = Buffer.byteLength(key);
      if (bytes.toString("latin1", 0, begin) !== key) return undefined;
      const data = bytes.subarray(begin + 4);
      return bytes.readUInt32LE(begin) === crc32(data) ? data : undefined;
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
  }
}

function writeCache(path: string, key: string, data: Buffer): void {
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32LE(crc32(data));
  try {
    // Not `recursive`: of a folder in which none can be made, as in /proc, node would try that for ever.
    for (const folder of [dirname(dirname(path)), dirname(path)]) {
      if (!existsSync(folder)) mkdirSync(folder, { mode: 0o700 });
    }
    const fresh = `${path}.new`;
    rmSync(fresh, { force: true });
    const bytes = Buffer.concat([Buffer.from(key), checksum, data]);
    writeFileSync(fresh, bytes, { flag: "wx", mode: 0o600 }); // never through a link that stands there
    renameSync(fresh, path);
  } catch {
    // The home may be read-only, or full: then the next run compiles anew.
  }
}
