import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import ssh2 from "ssh2";
import type { AuthContext, Connection, ParsedKey, ServerChannel } from "ssh2";

export interface EmbeddedHostOptions {
  /** Home of the one account, absolute; commands start there. */
  readonly home: string;
  /** Where the private key of the one client that may log in is written, mode 0600. */
  readonly identityFile: string;
}

/** A host inside this process: SSH on loopback, commands in a real shell. */
export interface EmbeddedHost {
  readonly user: string;
  readonly port: number;
  /** The host's key as a line of known_hosts. */
  readonly knownHostsLine: string;
  /** Hangs up on everybody, waits for the commands, and kills those that do not end. */
  close(): Promise<void>;
}

const LOOPBACK = "127.0.0.1";
const USER = "demo";
const PATIENCE_MS = 5000;

/**
 * Starts a host that behaves as a small sshd does: keys made for it alone, `exec` in `/bin/sh -c`, forwarding to its
 * own loopback. Shells with a terminal, SFTP, variables, forwarding elsewhere and every other way in are refused.
 */
export async function startEmbeddedHost({
  home,
  identityFile,
}: EmbeddedHostOptions): Promise<EmbeddedHost> {
  const hostKey = generateKeyPair();
  const clientKey = generateKeyPair();
  await writeFile(identityFile, clientKey.private, { mode: 0o600, flag: "wx" });

  const sockets = new Set<Socket>();
  const commands = new Set<ChildProcess>();
  const ssh = new ssh2.Server({ hostKeys: [hostKey.private] }, (connection) => {
    welcome(connection, parseKey(clientKey.public), (command) => {
      const child = startShell(command, home);
      commands.add(child);
      child.once("close", () => commands.delete(child));
      return child;
    });
  });
  // A listener of our own: ssh2's leaves Nagle on, which costs 40 ms per answer.
  const listener = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    ssh.injectSocket(socket);
  });
  await once(listener.listen(0, LOOPBACK), "listening");
  const address = listener.address();
  if (address === null || typeof address === "string") throw new Error("no port to listen on");
  const { port } = address;

  return {
    user: USER,
    port,
    knownHostsLine: `[${LOOPBACK}]:${port} ${hostKey.public}`,
    async close() {
      const closed = once(listener.close(), "close");
      for (const socket of sockets) socket.destroy();
      await Promise.all([closed, ...[...commands].map(endOf)]);
    },
  };
}

type StartShell = (command: string) => ReturnType<typeof startShell>;

function welcome(connection: Connection, authorized: ParsedKey, start: StartShell): void {
  connection.setMaxListeners(0); // one for each channel
  connection.on("error", () => {}); // the client's view of it is the one that is told
  connection.on("authentication", (attempt) => {
    if (isAuthorized(attempt, authorized)) attempt.accept();
    else attempt.reject(["publickey"]);
  });
  connection.on("session", (acceptSession) => {
    acceptSession().once("exec", (acceptExec, _reject, { command }) => {
      serve(connection, acceptExec(), start(command));
    });
  });
  connection.on("tcpip", (accept, reject, { destIP, destPort }) => {
    if (destIP === LOOPBACK) forward(connection, destPort, accept, reject);
    else reject();
  });
}

/** Without a signature the client only asks whether it is worth signing. */
function isAuthorized(attempt: AuthContext, authorized: ParsedKey): boolean {
  if (attempt.method !== "publickey" || attempt.username !== USER) return false;
  if (!attempt.key.data.equals(authorized.getPublicSSH())) return false;
  const { signature, blob, hashAlgo } = attempt;
  if (signature === undefined || blob === undefined) return signature === undefined;
  // Its type hides that ssh2 returns an Error for a signature it cannot read.
  const verified: unknown = authorized.verify(blob, signature, hashAlgo);
  return verified === true;
}

/** A login shell in a session of its own: Ctrl-C at the demo's terminal does not reach it. */
function startShell(command: string, home: string) {
  return spawn("/bin/sh", ["-c", command], {
    cwd: home,
    env: { HOME: home, PATH: process.env["PATH"] },
    stdio: "pipe",
    detached: true,
  });
}

function serve(connection: Connection, channel: ServerChannel, child: ReturnType<StartShell>) {
  // What either side can no longer take is lost, as it is with sshd.
  for (const stream of [channel, channel.stderr, child.stdin]) stream.on("error", () => {});
  channel.pipe(child.stdin);
  child.stdout.pipe(channel, { end: false });
  child.stderr.pipe(channel.stderr);
  child.once("error", () => channel.exit(127));
  child.once("exit", (code, signal) => {
    if (signal === null) channel.exit(code ?? 255);
    else channel.exit(signal.replace(/^SIG/, ""));
  });
  child.once("close", () => channel.stderr.end(() => channel.end()));
  // A command that outlives its client finds its output closed, and its input at the end.
  const hangUp = () => {
    child.stdout.destroy();
    child.stderr.destroy();
  };
  channel.once("close", hangUp);
  connection.once("close", hangUp);
}

function forward(
  connection: Connection,
  port: number,
  accept: () => Duplex,
  reject: () => void,
): void {
  const target = connect({ host: LOOPBACK, port, noDelay: true });
  target.once("error", reject);
  connection.once("close", () => target.destroy());
  target.once("connect", () => {
    target.off("error", reject);
    const channel = accept();
    for (const stream of [channel, target]) stream.on("error", () => {});
    channel.pipe(target).pipe(channel);
    channel.once("close", () => target.destroy());
    target.once("close", () => channel.end());
  });
}

async function endOf(child: ChildProcess): Promise<void> {
  const timer = setTimeout(() => killGroup(child), PATIENCE_MS);
  await once(child, "close");
  clearTimeout(timer);
}

function killGroup({ pid, exitCode, signalCode }: ChildProcess): void {
  // An ended leader's number may be another's by now.
  if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, "SIGKILL");
}

/**
 * A pair that ssh2 can read again. Of those that ssh2 1.17 makes, about one in 400 is malformed: it takes a leading zero
 * byte off the public half.
 */
export function generateKeyPair(): { private: string; public: string } {
  const pair = ssh2.utils.generateKeyPairSync("ed25519");
  return ssh2.utils.parseKey(pair.private) instanceof Error ? generateKeyPair() : pair;
}

function parseKey(text: string): ParsedKey {
  const key = ssh2.utils.parseKey(text);
  if (key instanceof Error) throw key;
  return key;
}
