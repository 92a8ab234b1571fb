import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { access, lstat, mkdir, open } from "node:fs/promises";
import { homedir, userInfo } from "node:os";
import { dirname } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";
import type { Files, FileSnapshot, Ports, Ran, RunOptions } from "./ports.ts";

/** The real machine. The only file that touches the disk, other programs and the environment. */
export function nodePorts(overrides: Partial<Ports> = {}): Ports {
  return {
    platform: process.platform,
    env: process.env,
    home: homedir(),
    cwd: process.cwd(),
    uid: process.getuid?.(),
    userName: userInfo().username,
    files: nodeFiles,
    human: undefined,
    now: () => Date.now(),
    randomHex: (bytes) => randomBytes(bytes).toString("hex"),
    sleep: (milliseconds, signal) => wait(milliseconds, undefined, signal ? { signal } : {}),
    run: runProgram,
    ...overrides,
  };
}

const LARGEST_FILE = 10 * 1024 * 1024;
const MOST_OUTPUT = 1024 * 1024;

const nodeFiles: Files = {
  async read(path): Promise<FileSnapshot> {
    const isLink = (await lstat(path)).isSymbolicLink();
    // Without O_NONBLOCK a FIFO would wait for a writer for ever.
    const handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      const stats = await handle.stat();
      if (!stats.isFile()) throw errno(stats.isDirectory() ? "EISDIR" : "EINVAL", path);
      if (stats.size > LARGEST_FILE) throw errno("EFBIG", path);
      const bytes = await handle.readFile();
      return {
        bytes,
        mode: stats.mode & 0o777,
        uid: stats.uid,
        size: stats.size,
        modifiedAt: stats.mtimeMs,
        inode: stats.ino,
        isLink,
      };
    } finally {
      await handle.close();
    }
  },

  async exists(path) {
    return access(path).then(
      () => true,
      () => false,
    );
  },

  async appendLine(path, line) {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const handle = await open(path, "a", 0o600);
    try {
      await handle.write(`${line}\n`);
    } finally {
      await handle.close();
    }
  },
};

function runProgram(
  program: string,
  argv: readonly string[],
  { timeoutMs, input }: RunOptions,
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, argv, {
      stdio: "pipe",
      timeout: timeoutMs,
      killSignal: "SIGKILL",
    });
    const stdout = collect(child.stdout);
    const stderr = collect(child.stderr);
    child.stdin.on("error", () => {}); // a program need not read what it is given
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (code === null && signal === "SIGKILL") reject(errno("ETIMEDOUT", program));
      else resolve({ code, stdout: stdout(), stderr: stderr() });
    });
    child.stdin.end(input ?? "");
  });
}

function errno(code: string, path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${path}`), { code, path });
}

/** Gathers what a program prints, up to a limit; decoded when it is whole. */
function collect(stream: Readable): () => string {
  const chunks: Buffer[] = [];
  let length = 0;
  stream.on("data", (chunk: Buffer) => {
    length += chunk.length;
    if (length <= MOST_OUTPUT) chunks.push(chunk);
  });
  return () => Buffer.concat(chunks).toString("utf8");
}
