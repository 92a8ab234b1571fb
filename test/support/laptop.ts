import { spawn } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { SHARED_CACHE } from "./program-cache.ts";

const BIN = fileURLToPath(new URL("../../bin/sync-creds.js", import.meta.url));
const CLAUDE = fileURLToPath(new URL("./renewing-claude.mjs", import.meta.url));

/** What a command left behind. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Run {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  /** All that it has written so far. */
  written(): string;
}

/** A home of its own and the built command line; no host. Tokens go into files: no test touches a real keychain. */
export interface Laptop extends Disposable {
  readonly laptop: string;
  /** Runs `sync-creds …argv` there, with `input` piped in. */
  run(argv: readonly string[], input?: string, env?: NodeJS.ProcessEnv): Promise<Ended>;
  /** Starts it in a process group of its own, and lets the test interfere. */
  start(argv: readonly string[], input?: string, env?: NodeJS.ProcessEnv): Run;
}

/** Makes such a laptop; `using` removes it. */
export function openLaptop(): Laptop {
  const laptop = mkdtempSync(join(tmpdir(), "sync-creds-laptop-"));
  const start = (argv: readonly string[], input = "", env: NodeJS.ProcessEnv = {}): Run => {
    const child = spawn(process.execPath, [BIN, ...argv], {
      cwd: laptop,
      env: {
        HOME: laptop,
        PATH: process.env["PATH"],
        SYNC_CREDS_TOKEN_STORE: "file",
        ...SHARED_CACHE,
        ...env,
      },
      stdio: "pipe",
      detached: true,
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.stdin.on("error", () => undefined); // it may end before it has read all
    child.stdin.end(input);
    const ended = new Promise<Ended>((resolve) =>
      child.on("close", (code) => resolve({ code, stdout, stderr })),
    );
    return { pid: child.pid ?? 0, ended, written: () => stdout + stderr };
  };
  return {
    laptop,
    start,
    run: (argv, input, env) => start(argv, input, env).ended,
    [Symbol.dispose]: () => rmSync(laptop, { recursive: true, force: true }),
  };
}

/** What the stand-in for Claude Code does with a login that it may renew; see renewing-claude.mjs. */
export type ClaudeMode =
  | "renews"
  | "rejected"
  | "revoked"
  | "usage-limit"
  | "unreachable"
  | "silent"
  | "ignores-the-login"
  | "hostile"
  | "waits";

/** A stand-in for Claude Code, to be put on a PATH. */
export interface FakeClaude {
  /** PATH with it in front. */
  readonly path: string;
  /** Lets one in mode `waits` end its renewal. */
  release(): void;
  /** Whether one is in the middle of a renewal. */
  isRenewing(): boolean;
  /** Each time it was started: arguments, names of variables that outrank a login, its folder; signals it was sent. */
  calls(): readonly ClaudeCall[];
}

export interface ClaudeCall {
  readonly argv: readonly string[];
  readonly outranking: readonly string[];
  readonly cwd: string;
  readonly signals: readonly string[];
}

/** Puts such a `claude` into a folder below a home. */
export function installClaude(home: string, mode: ClaudeMode): FakeClaude {
  const folder = join(home, "bin");
  mkdirSync(folder, { recursive: true });
  copyFileSync(CLAUDE, join(folder, "renewing-claude.mjs"));
  const script = `#!/bin/sh\nexec '${process.execPath}' '${join(folder, "renewing-claude.mjs")}' ${mode} "$@"\n`;
  writeFileSync(join(folder, "claude"), script, { mode: 0o755 });
  const calls = join(folder, "calls.jsonl");
  return {
    path: [folder, process.env["PATH"]].join(delimiter),
    release: () => writeFileSync(join(folder, "release"), ""),
    isRenewing: () => existsSync(join(folder, "renewing")),
    calls: () =>
      existsSync(calls)
        ? readFileSync(calls, "utf8")
            .trimEnd()
            .split("\n")
            .map((line) => JSON.parse(line) as ClaudeCall)
        : [],
  };
}

/** A PATH with everything but a `claude`. */
export function pathWithoutClaude(): string {
  return (process.env["PATH"] ?? "")
    .split(delimiter)
    .filter((folder) => !existsSync(join(folder, "claude")))
    .join(delimiter);
}

/** Writes a login as Claude Code has it. */
export function logIn(home: string, login: Record<string, unknown>): string {
  const path = join(home, ".claude", ".credentials.json");
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const block = { scopes: ["user:inference"], subscriptionType: "max", ...login };
  writeFileSync(path, JSON.stringify({ claudeAiOauth: block }), { mode: 0o600 });
  return path;
}
