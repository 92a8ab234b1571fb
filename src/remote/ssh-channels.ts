import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client, ClientChannel } from "ssh2";
import type { RemoteProcess } from "./session.ts";
import { startAtOnce } from "./ssh-shortcuts.ts";
import {
  connectionLost,
  forwardingForbidden,
  nothingListens,
  startsNoCommand,
} from "./ssh-failures.ts";

/** sshd frees the slot of an ended command late, so a `MaxSessions 1` host refuses the next one at first. */
export const RETRY_DELAYS_MS = [20, 40, 80, 160];
/** RFC 4254 §5.1. */
const CONNECT_FAILED = 2;

/** An authenticated connection as the channels see it. */
export interface Link {
  readonly connection: Client;
  readonly address: string;
  readonly lost: Promise<never>;
  /** `lost` is about to reject, or has. */
  isLost(): boolean;
}

/** Starts a command in the login shell. Errors: `REMOTE_SHELL` when the host opens no session for it. */
export async function startCommand(link: Link, command: string): Promise<RemoteProcess> {
  const { channel, ended } = await Promise.race([link.lost, openCommand(link, command)]);
  const exited = Promise.race([link.lost, ended]);
  exited.catch(() => undefined);
  return { stdin: channel, stdout: channel, stderr: channel.stderr, exited };
}

/** Opens a TCP stream from the host. Errors: as `Session.openStream`. */
export async function openForward(link: Link, host: string, port: number): Promise<Duplex> {
  const opened = settle<ClientChannel>((done) => {
    link.connection.forwardOut("127.0.0.1", 0, host, port, done);
  });
  try {
    return withoutUncaughtErrors(await Promise.race([link.lost, opened]));
  } catch (error) {
    if (link.isLost()) return link.lost;
    throw forwardFailure(error, link.address, `${host}:${port}`);
  }
}

interface Started {
  readonly channel: ClientChannel;
  readonly ended: RemoteProcess["exited"];
}

async function openCommand(link: Link, command: string): Promise<Started> {
  const { connection, address, lost } = link;
  for (let attempt = 0; ; attempt++) {
    try {
      const channel = withoutUncaughtErrors(await startAtOnce(connection, command));
      return { channel, ended: endOf(channel, address) };
    } catch (error) {
      if (link.isLost()) return lost;
      const delayMs = RETRY_DELAYS_MS[attempt];
      if (reasonOf(error) === undefined || delayMs === undefined)
        throw startsNoCommand(address, error);
      await sleep(delayMs);
    }
  }
}

function endOf(channel: ClientChannel, address: string): Started["ended"] {
  const ended: Started["ended"] = new Promise((resolve, reject) => {
    channel.once("exit", (code: number | null, signal?: string) => {
      resolve({ code, signal: signal ?? null });
    });
    channel.once("close", () => {
      reject(connectionLost(address, new Error("the command ended without an exit status")));
    });
  });
  ended.catch(() => undefined);
  return ended;
}

function forwardFailure(error: unknown, address: string, target: string): unknown {
  const reason = reasonOf(error);
  if (reason === undefined) return error;
  return reason === CONNECT_FAILED
    ? nothingListens(address, target, error)
    : forwardingForbidden(address, target, error);
}

/** The reason code of a refused channel. */
function reasonOf(error: unknown): unknown {
  return error instanceof Error && "reason" in error ? error.reason : undefined;
}

/** A write after the other side has gone is told by `exited` and `lost`; the event would end the process. */
function withoutUncaughtErrors(channel: ClientChannel): ClientChannel {
  channel.on("error", () => undefined);
  return channel;
}

/** The callback's result as a promise, which also rejects when `start` throws. */
function settle<T>(
  start: (done: (error: Error | undefined, value: T) => void) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, value) => {
      if (error) reject(error);
      else resolve(value);
    });
  });
}
