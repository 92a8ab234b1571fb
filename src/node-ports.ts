import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  statSync,
  writeSync,
} from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, realpath, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { nodeKeychain } from "./node-keychain.ts";
import { runInTurn } from "./node-run-in-turn.ts";
import { runProgram } from "./node-run.ts";
import type { Files, FileSnapshot, Ports } from "./ports.ts";

const LARGEST_FILE = 10 * 1024 * 1024;

/**
 * The machine this program runs on: the only file that touches the disk, other programs and the
 * environment. Nobody sits at the terminal unless `overrides` says who.
 */
export function nodePorts(overrides: Partial<Ports> = {}): Ports {
  return {
    platform: process.platform,
    env: process.env,
    home: homedir(),
    cwd: process.cwd(),
    uid: process.getuid?.(),
    userName: findUserName(),
    files: nodeFiles,
    keychain: nodeKeychain,
    human: undefined,
    now: () => Date.now(),
    randomHex: (bytes) => randomBytes(bytes).toString("hex"),
    sleep: (milliseconds, signal) =>
      wait(milliseconds, undefined, signal === undefined ? {} : { signal }),
    run: runProgram,
    ...(process.platform === "win32" ? {} : { runInTurn }),
    ...overrides,
  };
}

// A push reads some thirty small files and writes a line for each host. Each step of the asynchronous calls wakes another
// thread, which costs a hundred times the step itself: these are done at once.
const nodeFiles: Files = {
  async read(path): Promise<FileSnapshot> {
    const isLink = lstatSync(path).isSymbolicLink();
    // Without O_NONBLOCK a FIFO would wait for a writer for ever. Windows has neither.
    const file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      const stats = fstatSync(file);
      if (stats.isDirectory()) throw failure("EISDIR", "is a directory", path);
      if (!stats.isFile()) throw failure("EINVAL", "is no regular file", path);
      return {
        bytes: readCapped(file, path),
        mode: stats.mode & 0o777,
        uid: stats.uid,
        size: stats.size,
        modifiedAt: stats.mtimeMs,
        inode: stats.ino,
        isLink,
      };
    } finally {
      closeSync(file);
    }
  },

  exists: (path) => Promise.resolve(existsSync(path)),

  async modifiedAt(path) {
    try {
      return statSync(path).mtimeMs;
    } catch (error) {
      if (error instanceof Error && "code" in error && isAbsence(error.code)) return undefined;
      throw error;
    }
  },

  async appendLine(path, line) {
    const file = openForAppending(path);
    try {
      // One write: two programs that append at once never mix their lines.
      writeSync(file, `${endsMidLine(file) ? "\n" : ""}${line}\n`);
    } finally {
      closeSync(file);
    }
  },

  list: (folder) => readdir(folder),

  async replace(path, bytes) {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const { default: writeFileAtomic } = await import("write-file-atomic");
    const isNew = !(await nodeFiles.exists(path));
    await writeFileAtomic(isNew ? path : await realpath(path), bytes, isNew ? { mode: 0o600 } : {});
  },

  create: (path, bytes) => writeFile(path, bytes, { flag: "wx", mode: 0o600 }),

  async writePrivate(path, bytes) {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await chmod(dirname(path), 0o700);
    const { default: writeFileAtomic } = await import("write-file-atomic");
    await writeFileAtomic(path, bytes, { mode: 0o600 });
  },

  async makeFolder(path) {
    await mkdir(path, { recursive: true, mode: 0o700 });
  },

  async makePrivateFolder() {
    // A socket's path has room for some 100 bytes, and the folder of the run is the shorter one where there are two.
    return await mkdtemp(join(process.env["XDG_RUNTIME_DIR"] || tmpdir(), "sync-creds-"));
  },

  remove: (path) => rm(path, { recursive: true, force: true }),
};

/** To the end, whatever size was announced: files grow, and those of /proc announce none. */
function readCapped(file: number, path: string): Buffer {
  const chunks: Buffer[] = [];
  let length = 0;
  while (length <= LARGEST_FILE) {
    const buffer = Buffer.allocUnsafe(64 * 1024);
    const bytesRead = readSync(file, buffer);
    if (bytesRead === 0) return Buffer.concat(chunks);
    chunks.push(buffer.subarray(0, bytesRead));
    length += bytesRead;
  }
  throw failure("EFBIG", "is larger than 10 MiB", path);
}

function openForAppending(path: string): number {
  try {
    return openSync(path, "a+", 0o600);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    return openSync(path, "a+", 0o600);
  }
}

function endsMidLine(file: number): boolean {
  const stats = fstatSync(file);
  if (!stats.isFile() || stats.size === 0) return false;
  const last = Buffer.alloc(1);
  readSync(file, last, 0, 1, stats.size - 1);
  return last.toString("latin1") !== "\n";
}

/** A container may run us under a number that no account has: then the system knows no name. */
function findUserName(): string {
  try {
    return userInfo().username;
  } catch {
    return process.env["USER"] || process.env["LOGNAME"] || "unknown";
  }
}

function isAbsence(code: unknown): boolean {
  return code === "ENOENT" || code === "ENOTDIR";
}

function failure(code: string, what: string, about: string): Error {
  return Object.assign(new Error(`${code}: ${about} ${what}`), { code });
}
