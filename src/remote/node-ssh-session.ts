import { once } from "node:events";
import { connect as connectSocket } from "node:net";
import type { Duplex } from "node:stream";
import { NodeSSH } from "node-ssh";
import type { Client } from "ssh2";
import type { OpenOptions } from "./open-session.ts";
import type { Session } from "./session.ts";
import { sshAlgorithms } from "./ssh-algorithms.ts";
import { openForward, startCommand } from "./ssh-channels.ts";
import { sendTogether } from "./send-together.ts";
import { loginInOrder, type LoginEvents } from "./ssh-login.ts";
import { signAtOnce } from "./ssh-shortcuts.ts";
import { RETRIES, waitForRoom } from "./throttling.ts";
import { TimeLimit } from "../time-limit.ts";
import {
  abortReason,
  connectionLost,
  isThrottled,
  openingFailure,
  type Progress,
} from "./ssh-failures.ts";

const LOGIN_TIMEOUT_MS = 15_000;

/**
 * Opens a session over a socket of our own. Connections that sshd drops before the handshake are tried
 * again, a few times (see `RETRIES`); nothing else is.
 * Errors: `HOST_UNREACHABLE`, `HOST_KEY_UNKNOWN` when the key was not trusted, `HOST_KEY_CHANGED` when
 * the host cannot prove it owns the key, `SSH_UNSUPPORTED`, `AUTHENTICATION_FAILED`; the signal's reason,
 * or `INTERRUPTED`, when it was aborted.
 */
export async function openNodeSshSession(options: OpenOptions): Promise<Session> {
  const { address } = options;
  for (let attempt = 0; ; attempt++) {
    const progress: Progress = {
      stage: "connecting",
      firstBytes: "",
      methodsLeft: [],
      isPartial: false,
      person: options.person === undefined ? "absent" : "present",
    };
    try {
      return await openOnce(options, address, progress);
    } catch (error) {
      if (attempt === RETRIES || !isThrottled(error, progress)) {
        throw openingFailure(error, options, progress);
      }
      await waitForRoom(attempt);
      throwIfAborted(options.signal);
    }
  }
}

async function openOnce(
  options: OpenOptions,
  address: string,
  progress: Progress,
): Promise<Session> {
  throwIfAborted(options.signal);
  const { failed, fail } = startFailing();
  const limit = new TimeLimit(() => {
    fail(Object.assign(new Error("timed out"), { code: "ETIMEDOUT" }));
  });
  const stop = (): void => fail(abortReason(options.signal));
  options.signal?.addEventListener("abort", stop, { once: true });
  limit.start(options.connectTimeoutMs);
  const givingUp = new AbortController();
  const opening = options.through?.() ?? openSocket(options, givingUp.signal);

  try {
    const socket = await Promise.race([opening, failed]);
    progress.stage = "greeting";
    const { connection, ready, gone } = startSsh(socket, options, progress, {
      waiting: () => {
        progress.person = "asked";
        limit.hold();
      },
      answered: () => limit.goOn(),
      failed: fail,
    });
    connection.once("handshake", () => {
      progress.stage = "authenticating";
      limit.start(LOGIN_TIMEOUT_MS);
    });
    await Promise.race([ready, gone, failed]);
    progress.stage = "open";
    return sessionOver(connection, socket, gone, address);
  } catch (error) {
    givingUp.abort();
    opening.then((socket) => socket.destroy()).catch(() => undefined);
    throw error;
  } finally {
    limit.end();
    options.signal?.removeEventListener("abort", stop);
  }
}

async function openSocket(
  { host, port, socket: own }: OpenOptions,
  signal: AbortSignal,
): Promise<Duplex> {
  const socket = connectSocket({
    host,
    port,
    ...own,
    signal,
    // ssh2 leaves Nagle on, which costs a round trip and 40 ms per exchange.
    noDelay: true,
    keepAlive: true,
    // Node gives an address 250 ms by default, which loses hosts that are further away.
    autoSelectFamilyAttemptTimeout: 2000,
  });
  // What goes wrong is told by promises; without a listener it would end the process.
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

function startSsh(socket: Duplex, options: OpenOptions, progress: Progress, events: LoginEvents) {
  sendTogether(socket);
  // Not before ssh2 listens, which takes it a moment: whoever listens first starts the flow, and what comes meanwhile is
  // lost to the other.
  socket.on("newListener", function follow(event: string) {
    if (event !== "data") return;
    socket.off("newListener", follow);
    socket.once("data", (bytes: Buffer) => {
      progress.firstBytes = bytes.subarray(0, 200).toString("latin1");
    });
  });
  const ssh = new NodeSSH();
  const started = ssh.connect({
    sock: socket,
    username: options.user,
    hostVerifier: (key: Buffer, accept: (isTrusted: boolean) => void) => {
      // ssh2 takes everything but `false` for a yes, a promise and `undefined` included.
      let isTrusted = false;
      try {
        const answer: unknown = options.isHostKeyTrusted(key);
        isTrusted = answer === true;
      } finally {
        accept(isTrusted);
      }
    },
    authHandler: loginInOrder(options, progress, events),
    algorithms: sshAlgorithms(options.knownKeyTypes, options.hostKeyAlgorithms),
    // It would run while a person looks for a password: the limits are ours.
    readyTimeout: 0,
    keepaliveInterval: options.keepAlive.intervalMs,
    keepaliveCountMax: options.keepAlive.count,
  });
  // node-ssh gives up at the first error, also at an agent's that ssh2 itself gets over.
  started.catch(() => undefined);
  const { connection } = ssh;
  if (connection === null) throw new Error("node-ssh made no connection");
  signAtOnce(connection);

  const ready = new Promise<void>((resolve) => {
    connection.once("ready", resolve);
  });
  const gone = new Promise<never>((_resolve, reject) => {
    connection.on("error", (error: Error & { level?: string }) => {
      if (error.level !== "agent") reject(error);
    });
    connection.on("close", () => {
      reject(new Error("the connection was closed"));
    });
  });
  gone.catch(() => undefined);
  return { connection, ready, gone };
}

function sessionOver(
  connection: Client,
  socket: Duplex,
  gone: Promise<never>,
  address: string,
): Session {
  const lost = gone.catch((error: unknown): never => {
    throw connectionLost(address, error);
  });
  lost.catch(() => undefined);
  let hasFailed = false;
  connection.once("error", () => {
    hasFailed = true;
    // ssh2 may leave a half-closed socket behind, which would keep the process alive.
    socket.destroy();
  });
  const link = { connection, address, lost, isLost: () => hasFailed || !socket.writable };
  return {
    address,
    lost,
    exec: (command) => startCommand(link, command),
    openStream: (host, port) => openForward(link, host, port),
    close: () => {
      connection.end();
      socket.destroy();
    },
  };
}

/** A promise that only ever rejects, and what makes it do so. */
function startFailing() {
  let fail!: (error: unknown) => void;
  const failed = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });
  failed.catch(() => undefined);
  return { failed, fail };
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortReason(signal);
}
