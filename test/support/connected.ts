import { text } from "node:stream/consumers";
import { connect } from "../../src/connect/connect.ts";
import { SyncCredsError } from "../../src/errors.ts";
import type { Host } from "../../src/hosts/host.ts";
import { nodePorts } from "../../src/node-ports.ts";
import type { Human, Ports } from "../../src/ports.ts";
import type { Session } from "../../src/remote/session.ts";
import { Secret } from "../../src/secret.ts";
import { hostEntryOf } from "./host-entry.ts";
import type { SshdHost } from "./sshd.ts";

/** Connects to a real sshd; with `sshConfig`, everything else comes from there. */
export function open(
  sshd: SshdHost,
  ports: Partial<Ports> = {},
  host: Partial<Host> = {},
  notes?: (line: string) => void,
): Promise<Session> {
  const entry = host.sshConfig === undefined ? hostEntryOf(sshd, host) : aliasOf(host);
  return connect(entry, nodePorts({ home: sshd.home, env: {}, ...ports }), notes ? { notes } : {});

  function aliasOf(alias: Partial<Host>): Host {
    const { identityFile: _identity, knownHosts: _known, ...rest } = hostEntryOf(sshd, alias);
    return rest;
  }
}

/** What a session may go over; both must keep the same promises. */
export const TRANSPORTS = ["node", "openssh"] as const;

/** `open` and `failure`, over one transport. */
export function overTransport(transport: Host["transport"]): {
  open: typeof open;
  failure: typeof failure;
} {
  return {
    open: (sshd, ports, host) => open(sshd, ports, { transport, ...host }),
    failure: (sshd, ports, host) => failure(sshd, ports, { transport, ...host }),
  };
}

/** What a connection fails with. */
export async function failure(
  sshd: SshdHost,
  ports: Partial<Ports> = {},
  host: Partial<Host> = {},
): Promise<SyncCredsError> {
  try {
    const session = await open(sshd, ports, host);
    session.close();
  } catch (error) {
    if (error instanceof SyncCredsError) return error;
    throw error;
  }
  throw new Error("it let us in");
}

/** Connects, runs one command, and ends. */
export async function runOn(
  sshd: SshdHost,
  command: string,
  ports: Partial<Ports> = {},
  host: Partial<Host> = {},
): Promise<{ out: string; code: number | null }> {
  const session = await open(sshd, ports, host);
  try {
    const { stdin, stdout, exited } = await session.exec(command);
    stdin.end();
    const out = await text(stdout);
    return { out, code: (await exited).code };
  } finally {
    session.close();
  }
}

/** A person who says yes to everything and knows the passphrase. */
export function yes(passphrase = ""): { human: Human; asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    human: {
      confirm: (question, details = []) => {
        asked.push([...details, question].join("\n"));
        return Promise.resolve(true);
      },
      password: () => Promise.resolve(new Secret(passphrase)),
      choose: () => Promise.resolve([]),
      pick: () => Promise.reject(new Error("nothing to pick")),
      text: () => Promise.reject(new Error("nothing to say")),
    },
  };
}
