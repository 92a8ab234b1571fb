import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { type Duplex, PassThrough, type Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { Ports } from "../ports.ts";
import { isForwardingForbidden, masterLost } from "./openssh-failures.ts";
import type { OpensshMaster } from "./openssh-master.ts";
import { ProcessStream } from "./process-stream.ts";
import type { RemoteProcess } from "./session.ts";
import { RETRY_DELAYS_MS } from "./ssh-channels.ts";
import { forwardingForbidden, nothingListens, startsNoCommand } from "./ssh-failures.ts";

/** How long the end of a command may be ahead of the end of its link. */
const LAST_WORD_MS = 250;

/** An open connection as its commands and streams see it. */
export interface OpensshLink {
  readonly master: OpensshMaster;
  readonly address: string;
  readonly lost: Promise<never>;
  readonly folder: string;
  readonly env: Ports["env"];
  readonly clients: Set<ChildProcess>;
}

/** Starts a command in the login shell. Errors: as `Session.exec`. */
export async function startCommand(link: OpensshLink, command: string): Promise<RemoteProcess> {
  for (let attempt = 0; ; attempt++) {
    const client = startClient(link, [], [command]);
    const refusal = await client.opened;
    if (refusal === undefined) {
      const { stdin, stdout, stderr, exited } = client;
      return { stdin, stdout, stderr, exited };
    }
    const delayMs = RETRY_DELAYS_MS[attempt];
    if (delayMs === undefined) throw startsNoCommand(link.address, new Error(refusal));
    await sleep(delayMs);
  }
}

/** Opens a TCP stream from the host. Errors: as `Session.openStream`. */
export async function openForward(link: OpensshLink, host: string, port: number): Promise<Duplex> {
  const target = `${host}:${port}`;
  const bracketed = host.includes(":") ? `[${host}]:${port}` : target;
  const client = startClient(link, ["-W", bracketed], []);
  const refusal = await client.opened;
  if (refusal !== undefined) {
    const cause = new Error(refusal);
    if (isForwardingForbidden(refusal)) throw forwardingForbidden(link.address, target, cause);
    throw nothingListens(link.address, target, cause);
  }
  const stream = new ProcessStream(client);
  stream.once("close", () => client.kill());
  return stream;
}

interface Client extends RemoteProcess {
  /** Resolves when the channel is open, or with the reason why the host opened none. */
  readonly opened: Promise<string | undefined>;
  kill(): void;
}

/**
 * A process that has the master open one channel. What it logs itself comes before the channel is open; from then on its
 * stderr is the remote command's. Without the master it must fail rather than make a connection of its own.
 */
function startClient(
  link: OpensshLink,
  flags: readonly string[],
  command: readonly string[],
): Client {
  const { master, lost, folder, clients, env } = link;
  const from = master.log.length;
  const child = spawn(
    "ssh",
    [
      "-F/dev/null",
      `-S${join(folder, "master")}`,
      "-T",
      "-oProxyCommand=false",
      "-oLogLevel=DEBUG1",
      ...flags,
      "--",
      "host",
      ...command,
    ],
    { stdio: ["pipe", "pipe", "pipe"], detached: true, env: { ...env, LC_ALL: "C" } },
  );
  clients.add(child);
  const ended = once(child, "exit").then(([code]: (number | null)[]) => code ?? null);
  void ended.finally(() => clients.delete(child));
  child.stdin.on("error", () => undefined); // told by `exited` and `lost`
  const { head, rest } = splitAtOpening(child.stderr);
  const refused = async (): Promise<string> => {
    await ended;
    const late = sleep(LAST_WORD_MS, "the host gave no reason", { ref: false });
    return await Promise.race([lost, master.line(/: open failed: /, from).catch(() => lost), late]);
  };
  const exited = Promise.race([
    lost,
    ended.then(async (code) => {
      // 255 is also what a client ends with when its master has gone, a moment before that is known.
      if (code === 255 || code === null) await Promise.race([lost, sleep(LAST_WORD_MS)]);
      if (code === null) throw masterLost(["the command was ended from here"], link.address);
      return { code, signal: null };
    }),
  ]);
  exited.catch(() => undefined);
  return {
    stdin: child.stdin,
    stdout: child.stdout,
    stderr: rest,
    exited,
    opened: head.then((isOpen) => (isOpen ? undefined : refused())),
    kill: () => void child.kill(),
  };
}

/** The client's own log up to the word that the channel is open; then what the remote command says. */
function splitAtOpening(stderr: Readable): { head: Promise<boolean>; rest: Readable } {
  const rest = new PassThrough();
  const head = new Promise<boolean>((resolve) => {
    let log = Buffer.alloc(0);
    const read = (chunk: Buffer): void => {
      log = Buffer.concat([log, chunk]);
      const end = /master session id: \d+\r?\n/.exec(log.toString("latin1"));
      if (end === null) return;
      stderr.off("data", read);
      rest.write(log.subarray(end.index + end[0].length));
      stderr.pipe(rest);
      resolve(true);
    };
    stderr.on("data", read);
    stderr.once("end", () => {
      resolve(false);
      rest.end();
    });
  });
  return { head, rest };
}
