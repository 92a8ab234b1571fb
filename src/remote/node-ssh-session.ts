import { once } from "node:events";
import { connect as connectSocket, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { NodeSSH } from "node-ssh";
import type { AnyAuthMethod, AuthenticationType, Client } from "ssh2";
import { SyncCredsError } from "../errors.ts";
import type { KeyOffer, OpenOptions } from "./open-session.ts";
import type { Session } from "./session.ts";
import { OneKeyAgent } from "./ssh-agent.ts";
import { sshAlgorithms } from "./ssh-algorithms.ts";
import { openForward, startCommand } from "./ssh-channels.ts";
import { connectionLost, isThrottled, openingFailure, type Progress } from "./ssh-failures.ts";

const RETRIES = 3;
const READY_TIMEOUT_MS = 15_000;

/**
 * Opens a session over a socket of our own. Connections that sshd drops before the handshake are tried
 * again, three times at most; nothing else is.
 * Errors: `HOST_UNREACHABLE`, `HOST_KEY_UNKNOWN` when the key was not trusted, `HOST_KEY_CHANGED` when
 * the host cannot prove it owns the key, `SSH_UNSUPPORTED`, `AUTHENTICATION_FAILED`; the signal's reason,
 * or `INTERRUPTED`, when it was aborted.
 */
export async function openNodeSshSession(options: OpenOptions): Promise<Session> {
  const address = addressOf(options);
  for (let attempt = 0; ; attempt++) {
    const progress: Progress = {
      stage: "connecting",
      firstBytes: "",
      methodsLeft: [],
      isPartial: false,
    };
    try {
      return await openOnce(options, address, progress);
    } catch (error) {
      if (attempt === RETRIES || !isThrottled(error, progress)) {
        throw openingFailure(error, address, progress);
      }
      // Hosts behind one address, and the runs of other people, must not come back all at once.
      await sleep(2 ** attempt * (100 + 200 * Math.random()));
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
  const socket = connectSocket({
    host: options.host,
    port: options.port,
    // ssh2 leaves Nagle on, which costs a round trip and 40 ms per exchange.
    noDelay: true,
    keepAlive: true,
    // Node gives an address 250 ms by default, which loses hosts that are further away.
    autoSelectFamilyAttemptTimeout: 2000,
  });
  const stop = (): void => void socket.destroy(abortReason(options.signal));
  options.signal?.addEventListener("abort", stop, { once: true });
  const timer = setTimeout(() => {
    socket.destroy(Object.assign(new Error("timed out"), { code: "ETIMEDOUT" }));
  }, options.connectTimeoutMs);
  // What goes wrong is told by the promises below; without a listener it would end the process.
  socket.on("error", () => undefined);

  try {
    await once(socket, "connect");
    progress.stage = "greeting";
    const { connection, ready, gone } = startSsh(socket, options, progress);
    connection.once("handshake", () => {
      progress.stage = "authenticating";
      clearTimeout(timer);
    });
    await Promise.race([ready, gone]);
    progress.stage = "open";
    return sessionOver(connection, socket, gone, address);
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", stop);
  }
}

function startSsh(socket: Socket, options: OpenOptions, progress: Progress) {
  // Not before ssh2 listens, which takes it a moment: whoever listens first starts the flow, and what comes meanwhile is
  // lost to the other.
  socket.on("newListener", function follow(event: string) {
    if (event !== "data") return;
    socket.off("newListener", follow);
    socket.once("data", (bytes) => {
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
    authHandler: keysInOrder(options, progress),
    algorithms: sshAlgorithms(options.knownKeyTypes),
    readyTimeout: READY_TIMEOUT_MS,
    keepaliveInterval: 5000,
    keepaliveCountMax: 3,
  });
  // node-ssh gives up at the first error, also at an agent's that ssh2 itself gets over.
  started.catch(() => undefined);
  const { connection } = ssh;
  if (connection === null) throw new Error("node-ssh made no connection");

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

/** Offers one key after the other; gives up early when the host takes no keys. */
function keysInOrder({ user, offers }: OpenOptions, progress: Progress) {
  const left = [...offers];
  return (
    methods: AuthenticationType[] | null,
    isPartial: boolean | null,
  ): AnyAuthMethod | false => {
    progress.methodsLeft = methods ?? [];
    progress.isPartial = isPartial === true;
    const offer = methods?.includes("publickey") === false ? undefined : left.shift();
    return offer ? asAttempt(user, offer) : false;
  };
}

function asAttempt(username: string, { key, agentSocket }: KeyOffer): AnyAuthMethod {
  return agentSocket === undefined
    ? { type: "publickey", username, key }
    : { type: "agent", username, agent: new OneKeyAgent(agentSocket, key) };
}

function sessionOver(
  connection: Client,
  socket: Socket,
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

function addressOf({ user, host, port }: OpenOptions): string {
  return `${user}@${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortReason(signal);
}

function abortReason(signal: AbortSignal | undefined): SyncCredsError {
  if (signal?.reason instanceof SyncCredsError) return signal.reason;
  return new SyncCredsError("INTERRUPTED", "interrupted while connecting");
}
