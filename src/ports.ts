import type { Secret } from "./secret.ts";

/**
 * What the program needs from the machine it runs on. `node-ports.ts` is the real thing; tests and the
 * demo pass their own homes, clocks and environments through it. Rooms see nothing else of the world.
 */
export interface Ports {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The user's home directory, absolute. */
  readonly home: string;
  /** The current working directory, absolute. */
  readonly cwd: string;
  /** The user's numeric id; `undefined` on Windows, which has none. */
  readonly uid: number | undefined;
  readonly userName: string;
  readonly files: Files;
  readonly keychain: Keychain;
  readonly human: Human | undefined;
  /** Wall clock, epoch milliseconds. */
  now(): number;
  /** `bytes` random bytes as lower-case hex. */
  randomHex(bytes: number): string;
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
  /** Runs a local program without a shell. Rejects only when it cannot be started or times out. */
  run(program: string, argv: readonly string[], options: RunOptions): Promise<Ran>;
  /**
   * Runs a local program once for each list of arguments, one after the other, which costs less than as many `run`.
   * `undefined` where that does not tell how a run has ended: it must be run by itself. Absent on Windows.
   */
  readonly runInTurn?: (
    program: string,
    argvs: readonly (readonly string[])[],
  ) => Promise<Ran | undefined>[];
}

export interface RunOptions {
  readonly timeoutMs: number;
  readonly input?: string;
  /** Its working directory; this program's own unless told. */
  readonly cwd?: string;
  /** Its whole environment; this program's own unless told. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /**
   * It must not be broken off: Ctrl-C at the terminal does not reach it, and when its time is over it is asked to end
   * (SIGTERM) and waited for, never killed.
   */
  readonly gently?: boolean;
}

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Local files. Every failure is Node's own `ErrnoException`; rooms turn it into words. */
export interface Files {
  /** Content and metadata of one open file: both are of the same inode. */
  read(path: string): Promise<FileSnapshot>;
  exists(path: string): Promise<boolean>;
  /** When a file or folder was last changed, epoch milliseconds; `undefined` when there is none. */
  modifiedAt(path: string): Promise<number | undefined>;
  /** Adds one line to a file of mode 0600, creating it and its folder (0700) as needed. */
  appendLine(path: string, line: string): Promise<void>;
  /** The names in a folder, in no order. */
  list(folder: string): Promise<string[]>;
  /**
   * Puts a file in the place of another in one step, or makes it with mode 0600. Mode and owner stay as they are, and a
   * symbolic link still leads to the file. A missing folder is made (0700).
   */
  replace(path: string, bytes: Buffer): Promise<void>;
  /** Makes a file of mode 0600; fails with `EEXIST` when there is anything of that name. */
  create(path: string, bytes: Buffer): Promise<void>;
  /** Writes a file of mode 0600 in one step, in a folder of mode 0700; both are given these modes if they have others. */
  writePrivate(path: string, bytes: Buffer): Promise<void>;
  /** Makes a folder (0700) and those above it; it may be there. */
  makeFolder(path: string): Promise<void>;
  /** Makes an empty folder (0700) for sockets of this run; its path is short enough for them. */
  makePrivateFolder(): Promise<string>;
  /** Removes a file or a folder with all that is in it; there may be nothing. */
  remove(path: string): Promise<void>;
}

export interface FileSnapshot {
  readonly bytes: Buffer;
  /** Permission bits, e.g. 0o600. Means nothing on Windows. */
  readonly mode: number;
  readonly uid: number;
  readonly size: number;
  readonly modifiedAt: number;
  readonly inode: number;
  /** The path is itself a symbolic link. */
  readonly isLink: boolean;
}

/**
 * Where the system keeps this user's secrets: macOS's Keychain, the Credential Manager of Windows, the Secret Service of
 * a Linux desktop. A failure of any kind (there is none, it is locked, nobody opens it) rejects with an error whose
 * message says why and holds no secret.
 */
export interface Keychain {
  read(name: string): Promise<Secret | undefined>;
  /** Replaces what has that name. */
  write(name: string, secret: Secret): Promise<void>;
  /** There may be nothing of that name. */
  remove(name: string): Promise<void>;
}

/** The one who sits at the terminal. Absent (`undefined` in `Ports.human`) in a pipe or with `--no-input`. */
export interface Human {
  /** Shows `details`, then asks a yes/no question; the default answer is no. */
  confirm(question: string, details?: readonly string[]): Promise<boolean>;
  /** Asks for a secret without echo; with `manyLines` for a whole paste, line breaks included. */
  password(question: string, options?: { readonly manyLines?: boolean }): Promise<Secret>;
  /** Lets the person pick one or more; resolves with the values picked. */
  choose(question: string, choices: readonly Choice[]): Promise<readonly string[]>;
  /** Lets the person pick exactly one. */
  pick(question: string, choices: readonly Choice[]): Promise<string>;
  /** Asks for one line. `complaint` says what is wrong with an answer; the person then answers again. */
  text(question: string, options?: TextOptions): Promise<string>;
}

export interface TextOptions {
  /** Taken when the person only presses Enter. */
  readonly initial?: string;
  readonly complaint?: (answer: string) => string | undefined;
}

/** One thing to pick. */
export interface Choice {
  readonly value: string;
  readonly name: string;
}
