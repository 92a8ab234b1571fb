import { execFileSync, spawn } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { HostResult } from "../../src/outcome.ts";
import { endProcesses, processesNaming } from "./processes.ts";
import { SHARED_CACHE } from "./program-cache.ts";
import { freePort, startSshd } from "./sshd.ts";
import type { SshdHost, SshdOptions } from "./sshd.ts";

const BIN = fileURLToPath(new URL("../../bin/sync-creds.js", import.meta.url));
/** The wrapper, the `claude` that it starts when told `--claude claude.mjs`, and an app in front of it. */
const PROGRAMS = ["wrapper.mjs", "claude.mjs", "claude-login.mjs", "app.mjs"];

/** Plainly fake logins. The word after CANARY says how the test wrapper treats them. */
export const tokens = {
  good: "sk-ant-oat01-CANARYgood-laptop-0001",
  other: "sk-ant-oat01-CANARYgood-host-0002",
  bad: "sk-ant-oat01-CANARYBAD-0003",
  alsoBad: "sk-ant-oat01-CANARYBAD-0033",
  limit: "sk-ant-oat01-CANARYLIMIT-0004",
  slow: "sk-ant-oat01-CANARYSLOW-0012",
  refresh: "sk-ant-ort01-CANARYrefresh-laptop-0005",
} as const;

export interface StageOptions {
  /** Starts the host; OpenSSH's sshd unless told. */
  readonly server?: () => Promise<SshdHost>;
  readonly sshd?: SshdOptions;
  /** Merged over the one host, `web-1`. */
  readonly host?: Record<string, unknown>;
  /** Merged over its wrapper. */
  readonly wrapper?: Record<string, unknown>;
  /** Further arguments of the test wrapper. */
  readonly wrapperArguments?: readonly string[];
  /** Content of the host's credentials file; `undefined` leaves it out. */
  readonly hostFile?: string | undefined;
  /** Starts the wrapper before the test begins, on what the host has then. */
  readonly running?: boolean;
  readonly byHand?: ByHand;
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The hosts of the `--json` result line. */
  readonly hosts: readonly HostResult[];
  /** The one host's result. */
  readonly result: HostResult;
}

/** A laptop, a host behind a real sshd, a wrapper, and the built command line. */
export interface Stage extends AsyncDisposable {
  readonly sshd: SshdHost;
  readonly laptop: string;
  readonly wrapperPort: number;
  readonly hostFile: string;
  readonly laptopFile: string;
  readonly hostsJson: string;
  /** Where the wrapper lives on the host. */
  readonly directory: string;
  /** Starts the wrapper there, in the foreground. */
  readonly command: string;
  /** Rewrites hosts.json with more merged over the host. */
  configure(host: Record<string, unknown>, wrapper?: Record<string, unknown>): void;
  logIn(accessToken: string, more?: Record<string, unknown>): void;
  /** Runs `sync-creds …argv` in the laptop's home. */
  run(...argv: string[]): Promise<Ended>;
  /** Starts it and lets the test interfere. */
  start(...argv: string[]): Running;
  /** Asks the wrapper a question as a client would; its reply text, or undefined when it is down. */
  chat(message: string): Promise<string | undefined>;
}

export interface Running {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  /** Resolves when the event stream (stdout of `--json`) has shown this step of the host. */
  reached(step: string, host?: string): Promise<void>;
  /** What it has written to stdout so far. */
  stdout(): string;
  kill(signal: NodeJS.Signals): void;
}

/** A login as Claude Code writes it. */
export function renderLogin(accessToken: string, more: Record<string, unknown> = {}): string {
  const login = {
    accessToken,
    refreshToken: tokens.refresh,
    expiresAt: Date.now() + 7 * 3600_000,
    scopes: ["user:inference", "user:profile"],
    subscriptionType: "max",
    rateLimitTier: "default_claude_max_20x",
    ...more,
  };
  return JSON.stringify({ claudeAiOauth: login });
}

/** What a host is left with by a push: no refresh token. */
export function renderHostLogin(accessToken: string): string {
  return JSON.stringify({
    claudeAiOauth: { accessToken, expiresAt: Date.now() + 3600_000, scopes: ["user:inference"] },
    mcpOAuth: { "kept|by|the|host": { accessToken: "mcp-CANARY-kept" } },
  });
}

/** The arguments of a push to the one host. */
export const PUSH = ["push", "web-1", "--json"] as const;
export const CLEAR = ["push", "web-1", "--clear-shadows", "--json"] as const;

/** Builds the stage; `await using` takes it down. */
export async function openStage(options: StageOptions = {}): Promise<Stage> {
  const sshd = await (options.server?.() ?? startSshd(options.sshd));
  const laptop = mkdtempSync(join(tmpdir(), "sync-creds-laptop-"));
  const wrapperPort = await freePort();
  const hostFile = join(sshd.home, ".claude", ".credentials.json");
  const laptopFile = join(laptop, ".claude", ".credentials.json");
  const hostsJson = join(laptop, "hosts.json");
  const directory = join(sshd.home, "wrapper");
  mkdirSync(dirname(laptopFile), { mode: 0o700 });
  mkdirSync(directory);
  // The account of the host may have no way into this folder.
  for (const name of PROGRAMS) copyFileSync(join(import.meta.dirname, name), join(directory, name));
  const program = join(directory, "wrapper.mjs");
  if (options.hostFile !== undefined) {
    mkdirSync(dirname(hostFile), { mode: 0o700 });
    writeFileSync(hostFile, options.hostFile, { mode: 0o600 });
  }
  const command = [
    "exec",
    process.execPath,
    program,
    "--port",
    wrapperPort,
    ...(options.wrapperArguments ?? []),
  ].join(" ");
  const base = {
    ssh: `${sshd.user}@127.0.0.1:${sshd.port}`,
    identityFile: sshd.clientKey,
    knownHosts: sshd.knownHosts,
    restart: { kind: "process", directory: "~/wrapper", command, log: "~/wrapper/wrapper.log" },
    stabilityMs: 200,
    ...options.host,
  };
  const wrapper = {
    url: `http://127.0.0.1:${wrapperPort}`,
    chat: { preset: "chat" },
    health: { path: "/health" },
    timeoutMs: 8000,
    baselineTimeoutMs: 3000,
    startTimeoutMs: 8000,
    ...options.wrapper,
  };
  const env = {
    HOME: laptop,
    PATH: [join(laptop, "bin"), process.env["PATH"]].join(delimiter),
    XDG_STATE_HOME: join(laptop, "state"),
    SYNC_CREDS_TOKEN_STORE: "file",
    ...SHARED_CACHE,
  };
  const stage: Stage = {
    sshd,
    laptop,
    wrapperPort,
    hostFile,
    laptopFile,
    hostsJson,
    directory,
    command,
    configure(host, moreWrapper = {}) {
      const one = { ...base, ...host, wrapper: { ...wrapper, ...moreWrapper } };
      writeFileSync(hostsJson, JSON.stringify({ hosts: { "web-1": one } }), { mode: 0o600 });
    },
    logIn(accessToken, more) {
      writeFileSync(laptopFile, renderLogin(accessToken, more), { mode: 0o600 });
    },
    run: (...argv) => startCli(argv, laptop, env).ended,
    start: (...argv) => startCli(argv, laptop, env),
    async chat(message) {
      try {
        const reply = await fetch(`${wrapper.url}/chat`, {
          method: "POST",
          headers: { "content-type": "application/json", ...authorizationFor(options) },
          body: JSON.stringify({ message }),
        });
        const { response } = (await reply.json()) as { response?: string };
        return response;
      } catch {
        return undefined;
      }
    },
    async [Symbol.asyncDispose]() {
      // Whatever still runs from this host's folder was started by this stage.
      endProcesses(() => processesNaming(sshd.home));
      await sshd[Symbol.asyncDispose]();
      rmSync(laptop, { recursive: true, force: true });
    },
  };
  stage.configure({});
  stage.logIn(tokens.good);
  chmodSync(sshd.home, 0o755);
  if (sshd.uid !== process.getuid?.())
    execFileSync("chown", ["-R", `${sshd.uid}:${sshd.gid}`, sshd.home]);
  if (options.running === true) await startWrapper(stage, options.byHand);
  return stage;
}

/** What lets a client pass a wrapper that wants a bearer. */
function authorizationFor({ wrapperArguments = [] }: StageOptions): Record<string, string> {
  const at = wrapperArguments.indexOf("--bearer");
  return at < 0 ? {} : { authorization: `Bearer ${wrapperArguments[at + 1]}` };
}

/** Starts `sync-creds …argv` in a laptop's home. */
export function startCli(argv: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Running {
  const child = spawn(process.execPath, [BIN, ...argv], {
    cwd,
    env,
    stdio: ["ignore", "pipe", "pipe"],
    // A group of its own, so that a test can interrupt it as a terminal does.
    detached: true,
  });
  let stdout = "";
  let stderr = "";
  const waiting: { text: string; resolve: () => void }[] = [];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    for (const { text: wanted, resolve } of waiting) if (stdout.includes(wanted)) resolve();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const ended = new Promise<Ended>((resolve) =>
    child.on("close", (code) => {
      for (const { resolve: release } of waiting) release();
      const line = stdout.split("\n").find((text) => text.startsWith('{"type":"result"'));
      const hosts = line === undefined ? [] : (JSON.parse(line) as { hosts: HostResult[] }).hosts;
      const result = hosts[0] ?? { host: "?", outcome: "not-attempted", next: [], durationMs: 0 };
      resolve({ code, stdout, stderr, hosts, result });
    }),
  );
  return {
    pid: child.pid ?? 0,
    ended,
    reached: (step, host) =>
      new Promise((resolve) => {
        const wanted = `${host === undefined ? "" : `"host":"${host}",`}"step":"${step}"`;
        if (stdout.includes(wanted)) resolve();
        waiting.push({ text: wanted, resolve });
      }),
    stdout: () => stdout,
    kill: (signal) => void child.kill(signal),
  };
}

/** How a wrapper is started by hand. */
export interface ByHand {
  /** Variables besides HOME and PATH. */
  readonly environment?: Readonly<Record<string, string>>;
  /** By a login shell, which reads `.profile`. */
  readonly login?: boolean;
  /** Instead of the wrapper's own command. */
  readonly command?: string;
}

/** Starts the wrapper of a stage as a person would, and waits until it answers. */
export async function startWrapper(
  stage: Stage,
  { environment, login, command = stage.command }: ByHand = {},
): Promise<void> {
  const { sshd, directory } = stage;
  const words = [
    "/bin/sh",
    login === true ? "-lc" : "-c",
    `cd '${directory}' && ${command} >>wrapper.log 2>&1`,
  ];
  const [program = "", ...argv] = [...sshd.inside, ...words];
  const child = spawn(program, argv, {
    cwd: directory,
    detached: true,
    uid: sshd.uid,
    gid: sshd.gid,
    env: { HOME: sshd.home, PATH: process.env["PATH"], ...environment },
    stdio: "ignore",
  });
  child.unref();
  while ((await stage.chat("up?")) === undefined)
    await new Promise((resolve) => setTimeout(resolve, 20));
}
