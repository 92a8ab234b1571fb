import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isProgram } from "./programs.ts";
import { straceInto } from "./strace.ts";
import { endProcesses, listProcesses } from "./processes.ts";

export type HostKeyType = "ed25519" | "ecdsa" | "rsa";

export interface SshdOptions {
  /** Types of the generated host keys; ed25519 alone unless told. */
  readonly hostKeys?: readonly HostKeyType[];
  /** Lines of sshd_config; they win over the ones written here. */
  readonly config?: readonly string[];
  /**
   * Login shell. Needs root: sshd takes it from the password file, so a throw-away account is made.
   * Check `canChooseShell` first.
   */
  readonly shell?: string;
  /** Password of the throw-away account that comes with `shell`. sshd accepts it where `config` lets it. */
  readonly password?: string;
  /** Folders that come first in the PATH of what runs on the host. */
  readonly path?: readonly string[];
  /** Further variables of what runs on the host. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Network namespace that sshd listens in, and its address there; loopback of this one unless told. */
  readonly at?: { readonly namespace: string; readonly address: string };
  /** Gives the host an /etc of its own, laid over this machine's. Check `hasOwnEtc` (own-etc.ts) first. */
  readonly ownEtc?: boolean;
  /** File into which strace writes every program that is started here. Check `hasStrace` first. */
  readonly trace?: string;
}

/** A throw-away account of this machine. */
export interface Account extends Disposable {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** A real OpenSSH server on loopback with a home of its own. */
export interface SshdHost extends AsyncDisposable {
  readonly port: number;
  readonly user: string;
  readonly uid: number;
  readonly gid: number;
  /** Everything of this host lives in here and goes with it. */
  readonly directory: string;
  /** `$HOME` of what runs on the host. */
  readonly home: string;
  /** A private key that may log in; `FILE.pub` beside it. */
  readonly clientKey: string;
  readonly hostKeys: readonly HostKey[];
  /** A file that knows every key of this host under its address and port. */
  readonly knownHosts: string;
  /** A file for `ssh -F`: any host name leads here, with the right key and known_hosts. */
  readonly sshConfig: string;
  /** The host's /etc, as it is seen from here. */
  readonly etc: string;
  /** Words before a command that shall run where the host's own /etc is; none where it has none. */
  readonly inside: readonly string[];
  /** Lines for known_hosts under another name. */
  knownHostsText(name: string): string;
  /** What sshd has written so far (LogLevel VERBOSE). */
  log(): string;
  /** Has sshd read its sshd_config again. */
  reload(): Promise<void>;
  /** Ends the connections that are open now; the listener stays. */
  dropConnections(): void;
}

export interface HostKey {
  readonly type: string;
  readonly blob: Buffer;
  /** As `ssh-keygen -l` prints it. */
  readonly fingerprint: string;
  /** The public key's file. */
  readonly file: string;
}

const SSHD = ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/sbin/sshd"].find(isProgram);
/** Runs what follows where /etc is this machine's to read and its own to write: what is written there goes with it. */
export const OWN_ETC = [
  "unshare",
  "-m",
  "/bin/sh",
  "-c",
  'mount -t tmpfs none /mnt && mkdir /mnt/new /mnt/work && mount -t overlay overlay -o lowerdir=/etc,upperdir=/mnt/new,workdir=/mnt/work /etc && exec "$@"',
  "sh",
] as const;

const isRoot = process.getuid?.() === 0;

/** Whether there is a sshd here. Without one tests skip, loudly; in CI they fail. */
export const hasSshd: boolean = SSHD !== undefined || missingSshd();

/** Whether hosts with any login shell can be made: that needs root and `useradd`. */
export const canChooseShell: boolean = hasSshd && isRoot && isProgram("/usr/sbin/useradd");

/** Starts a host; `await using` ends it. */
export async function startSshd(options: SshdOptions = {}): Promise<SshdHost> {
  const directory = mkdtempSync(join(tmpdir(), "sync-creds-sshd-"));
  const home = join(directory, "home");
  mkdirSync(home);
  chmodSync(directory, 0o711);
  const account =
    options.shell === undefined ? undefined : addAccount(home, options.shell, options.password);
  const me = userInfo();
  const user = account?.name ?? me.username;

  const clientKey = join(directory, "client_key");
  generateKey(clientKey, "ed25519");
  writeFileSync(join(directory, "authorized_keys"), readFileSync(`${clientKey}.pub`));
  const hostKeys = (options.hostKeys ?? ["ed25519"]).map((type) => {
    const file = join(directory, `host_${type}`);
    generateKey(file, type);
    return readHostKey(`${file}.pub`);
  });

  const { sshd, port, logFile } = await listen(directory, home, hostKeys, options);
  const knownHosts = join(directory, "known_hosts");
  const sshConfig = join(directory, "ssh_config");
  const knownHostsText = (name: string): string =>
    hostKeys.map(({ type, blob }) => `${name} ${type} ${blob.toString("base64")}\n`).join("");
  const address = options.at?.address ?? "127.0.0.1";
  writeFileSync(knownHosts, knownHostsText(`[${address}]:${port}`));
  writeFileSync(
    sshConfig,
    `Host *\n  HostName ${address}\n  Port ${port}\n  User ${user}\n  IdentityFile ${clientKey}\n` +
      `  IdentitiesOnly yes\n  IdentityAgent none\n  UserKnownHostsFile ${knownHosts}\n  GlobalKnownHostsFile none\n`,
  );
  return {
    port,
    user,
    uid: account?.uid ?? me.uid,
    gid: account?.gid ?? me.gid,
    directory,
    home,
    clientKey,
    hostKeys,
    knownHosts,
    sshConfig,
    etc: options.ownEtc === true ? `/proc/${sshd.pid}/root/etc` : "/etc",
    inside: options.ownEtc === true ? ["nsenter", "-m", "-t", `${sshd.pid}`] : [],
    knownHostsText,
    log: () => readFileSync(logFile, "utf8"),
    reload: async () => {
      const starts = () => readFileSync(logFile, "utf8").split("Server listening on").length;
      const before = starts();
      sshd.kill("SIGHUP");
      while (starts() === before && sshd.exitCode === null) await sleep(10);
    },
    dropConnections: () => killAll(descendantsOf(sshd.pid)),
    [Symbol.asyncDispose]: async () => {
      const sessions = descendantsOf(sshd.pid);
      await stop(sshd);
      killAll(sessions);
      account?.[Symbol.dispose]();
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Makes a key pair without passphrase at `file` and `file.pub`. */
export function generateKey(file: string, type: HostKeyType, more: readonly string[] = []): void {
  execFileSync("ssh-keygen", ["-q", "-t", type, "-N", "", "-C", "test key", "-f", file, ...more]);
}

/** Reads a `.pub` file. */
export function readHostKey(file: string): HostKey {
  const [type = "", base64 = ""] = readFileSync(file, "utf8").split(" ");
  const blob = Buffer.from(base64, "base64");
  const digest = createHash("sha256").update(blob).digest("base64").replace(/=+$/, "");
  return { type, blob, fingerprint: `SHA256:${digest}`, file };
}

/** The lines of a known_hosts file for a port of loopback, names as they are written there or hashed: `TYPE BASE64`. */
export function keysOnRecord(file: string, port: number): string[] {
  const found = execFileSync("ssh-keygen", ["-F", `[127.0.0.1]:${port}`, "-f", file], {
    encoding: "utf8",
  });
  const lines = found.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return lines.map((line) => line.split(" ").slice(1, 3).join(" "));
}

/** A loopback port that nobody listens on just now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  await new Promise((resolve) => {
    server.close(resolve);
  });
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

async function listen(
  directory: string,
  home: string,
  hostKeys: readonly HostKey[],
  options: SshdOptions,
) {
  // sshd insists on its (empty) privilege separation folder, which a container may lack.
  if (isRoot) mkdirSync("/run/sshd", { recursive: true });
  // Another process may take the free port before sshd does.
  for (let left = 5; ; left--) {
    const port = await freePort();
    const file = join(directory, "sshd_config");
    const logFile = join(directory, `sshd-${port}.log`);
    writeFileSync(file, renderConfig(directory, home, port, hostKeys, options));
    const inside = options.at === undefined ? [] : ["ip", "netns", "exec", options.at.namespace];
    if (options.ownEtc === true) inside.push(...OWN_ETC);
    const command = [...inside, SSHD ?? "sshd", "-D", "-e", "-f", file];
    const [program = "", ...argv] =
      options.trace === undefined ? command : ["strace", ...straceInto(options.trace), ...command];
    const sshd = spawn(program, argv, {
      stdio: ["ignore", "ignore", openSync(logFile, "w")],
    });
    if (await isListening(sshd, logFile)) return { sshd, port, logFile };
    if (left === 0) throw new Error(`sshd does not start: ${readFileSync(logFile, "utf8")}`);
    await stop(sshd);
  }
}

function renderConfig(
  directory: string,
  home: string,
  port: number,
  hostKeys: readonly HostKey[],
  { config = [], path = [], environment = {}, at }: SshdOptions,
): string {
  const search = path.length === 0 ? {} : { PATH: [...path, process.env["PATH"]].join(":") };
  const variables = Object.entries({ HOME: home, ...search, ...environment });
  const lines = [
    // sshd takes the first value it meets.
    ...config,
    `Port ${port}`,
    `ListenAddress ${at?.address ?? "127.0.0.1"}`,
    ...hostKeys.map(({ file }) => `HostKey ${file.replace(/\.pub$/, "")}`),
    `AuthorizedKeysFile ${join(directory, "authorized_keys")}`,
    `PidFile ${join(directory, "sshd.pid")}`,
    `SetEnv ${variables.map(([name, value]) => `${name}=${value}`).join(" ")}`,
    "UsePAM no",
    "StrictModes no",
    "PermitRootLogin yes",
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    "LogLevel VERBOSE",
  ];
  return `${lines.join("\n")}\n`;
}

async function isListening(sshd: ChildProcess, logFile: string): Promise<boolean> {
  for (let left = 500; left > 0; left--) {
    if (readFileSync(logFile, "utf8").includes("Server listening on")) return true;
    if (sshd.exitCode !== null) return false;
    await sleep(10);
  }
  return false;
}

/** Makes an account that owns `home`; disposing ends whatever runs as it. Needs root, see `canChooseShell`. */
export function addAccount(home: string, shell: string, password?: string): Account {
  const name = `sc${process.pid}x${Math.random().toString(36).slice(2, 8)}`;
  // The password `*` matches nothing, but does not lock the account as useradd's `!` would.
  execFileSync("useradd", ["-M", "-d", home, "-s", shell, "-p", "*", name]);
  if (password !== undefined) execFileSync("chpasswd", { input: `${name}:${password}\n` });
  const [uid = 0, gid = 0] = ["-u", "-g"].map((flag) =>
    Number(execFileSync("id", [flag, name], { encoding: "utf8" })),
  );
  chownSync(home, uid, gid);
  return {
    name,
    uid,
    gid,
    [Symbol.dispose]: () => {
      endProcesses(() => listProcesses().filter((entry) => entry.uid === uid));
      execFileSync("userdel", ["-f", name], { stdio: "ignore" });
    },
  };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await gone;
}

function descendantsOf(pid: number | undefined): number[] {
  if (pid === undefined) return [];
  const table = execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" })
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number));
  const found = new Set([pid]);
  // A child's number may be smaller than its parent's: look until nothing new turns up.
  for (let before = 0; before < found.size;) {
    before = found.size;
    for (const [child = 0, parent = 0] of table) if (found.has(parent)) found.add(child);
  }
  return [...found].filter((one) => one !== pid);
}

function killAll(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It ended by itself.
    }
  }
}

function missingSshd(): false {
  if (process.env["CI"]) throw new Error("sshd is not installed, and CI may not do without");
  console.warn("\n*** SKIPPED: sshd is not installed; tests against a real host do not run ***\n");
  return false;
}
