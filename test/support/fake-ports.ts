import type { FileSnapshot, Keychain, Ports, Ran } from "../../src/ports.ts";
import type { Secret } from "../../src/secret.ts";

/** One file of the imagined computer. */
export interface FakeFile {
  readonly content: string | Uint8Array;
  readonly mode?: number;
  readonly uid?: number;
}

/** What a test wants to be different; the rest is a quiet Linux computer of the user `ann`. */
export interface FakeWorld extends Partial<Omit<Ports, "files">> {
  /** By absolute path. `"EACCES"` and other codes in place of a file make reading it fail. */
  readonly files?: Readonly<Record<string, FakeFile | string>>;
}

/** The clock of every fake: 2026-01-01T00:00:00Z. */
export const FAKE_NOW = Date.UTC(2026, 0, 1);

/** Ports without a computer behind them: files in memory, a clock that stands still, no programs. */
export function fakePorts({ files = {}, ...different }: FakeWorld = {}): Ports {
  const disk = new Map(Object.entries(files));
  return {
    platform: "linux",
    env: {},
    home: "/home/ann",
    cwd: "/home/ann/hosts",
    uid: 1000,
    userName: "ann",
    human: undefined,
    keychain: fakeKeychain(),
    now: () => FAKE_NOW,
    randomHex: (bytes) => "5c".repeat(bytes),
    sleep: () => Promise.resolve(),
    run: (program) => Promise.reject(withCode("ENOENT", program)),
    ...different,
    files: {
      read: (path) => readFake(disk, path),
      exists: (path) => Promise.resolve(disk.has(path)),
      modifiedAt: (path) => Promise.resolve(disk.has(path) ? FAKE_NOW : undefined),
      appendLine: async (path, line) => {
        const before = disk.has(path) ? (await readFake(disk, path)).bytes.toString("utf8") : "";
        disk.set(path, { content: `${before}${line}\n` });
      },
      list: (folder) => Promise.resolve(namesIn(disk, folder)),
      replace: async (path, bytes) => void disk.set(path, { content: bytes }),
      create: async (path, bytes) => {
        if (disk.has(path)) throw withCode("EEXIST", path);
        disk.set(path, { content: bytes });
      },
      writePrivate: async (path, bytes) => void disk.set(path, { content: bytes }),
      makeFolder: () => Promise.resolve(),
      makePrivateFolder: () => Promise.resolve("/run/user/1000/sync-creds-aaaaaa"),
      remove: async (path) => {
        for (const name of disk.keys())
          if (name === path || name.startsWith(`${path}/`)) disk.delete(name);
      },
    },
  };
}

/** A keychain in memory; with a `problem` it fails whatever it is asked. */
export function fakeKeychain(problem?: string): Keychain {
  const held = new Map<string, Secret>();
  const use = <T>(act: () => T): Promise<T> =>
    problem === undefined ? Promise.resolve(act()) : Promise.reject(new Error(problem));
  return {
    read: (name) => use(() => held.get(name)),
    write: (name, secret) => use(() => void held.set(name, secret)),
    remove: (name) => use(() => void held.delete(name)),
  };
}

/** A `run` that answers every program the same, and remembers what it was asked. */
export function fakeRun(answer: Partial<Ran>): { run: Ports["run"]; calls: string[][] } {
  const calls: string[][] = [];
  return {
    calls,
    run: (program, argv) => {
      calls.push([program, ...argv]);
      return Promise.resolve({ code: 0, stdout: "", stderr: "", ...answer });
    },
  };
}

async function readFake(
  disk: ReadonlyMap<string, FakeFile | string>,
  path: string,
): Promise<FileSnapshot> {
  const file = disk.get(path) ?? "ENOENT";
  if (typeof file === "string") throw withCode(file, path);
  const bytes = Buffer.from(file.content);
  return {
    bytes,
    mode: file.mode ?? 0o600,
    uid: file.uid ?? 1000,
    size: bytes.length,
    modifiedAt: FAKE_NOW,
    inode: 1,
    isLink: false,
  };
}

function namesIn(disk: ReadonlyMap<string, unknown>, folder: string): string[] {
  const inside = [...disk.keys()].filter((path) => path.startsWith(`${folder}/`));
  return [...new Set(inside.map((path) => path.slice(folder.length + 1).split("/")[0] ?? ""))];
}

function withCode(code: string, about: string): Error {
  return Object.assign(new Error(`${code}: ${about}`), { code });
}
