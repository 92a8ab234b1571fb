import type { Client, ClientChannel, ParsedKey } from "ssh2";

/*
 * Three round trips of each connection that the protocol does not ask for and ssh2 takes. It has no public way around them,
 * so these go through its private parts; they are bundled with this program, and do not change behind its back.
 */

/**
 * Logs in without waiting in between. The service is asked for and used at once: only a server that has not proved its key
 * must be heard first (RFC 4253 §10), and every key exchange that we offer ends with that proof. And a key at hand signs at
 * once instead of being shown first (RFC 4252 §7); one in an agent is shown, for a signature may want a touch.
 * To be called after `connect` and before anything has come in.
 */
export function logInAtOnce(connection: Client, firstKey: ParsedKey | undefined): void {
  const { _protocol: protocol } = inside(connection);
  const ask = protocol.authPK.bind(protocol);
  protocol.authPK = (user, key, algorithm = key.type, sign) => {
    if (sign !== undefined || !key.isPrivateKey()) return ask(user, key, algorithm, sign);
    ask(user, key, algorithm, (data, done) => {
      const signature: Buffer | Error = key.sign(data, HASHES[algorithm]);
      // Shown, it makes ssh2 sign: then ssh2 says what is wrong with it.
      if (signature instanceof Error) ask(user, key, algorithm);
      else done(signature);
    });
  };

  // Which hash an RSA key signs with is known when the server has said more about itself.
  if (firstKey === undefined || firstKey.type === "ssh-rsa") return;
  const request = protocol.service.bind(protocol);
  const { SERVICE_ACCEPT: accepted } = protocol._handlers;
  protocol.service = (name) => {
    protocol._handlers.SERVICE_ACCEPT = () => {};
    request(name);
    accepted(protocol, name);
  };
}

/** A command that the host was asked to start. */
export interface Requested {
  readonly channel: ClientChannel;
  /** Resolves when the host has started it, rejects when it does not. */
  readonly started: Promise<void>;
}

/** Asks for a command; what it shall read may be sent behind the request. Rejects when the host opens no channel. */
export async function requestCommand(connection: Client, command: string): Promise<Requested> {
  const { _chanMgr: channels, _protocol: protocol } = inside(connection);
  const channel = await new Promise<ClientChannel & InsideOfChannel>((resolve, reject) => {
    const opened = (error: Error | undefined, one: ClientChannel & InsideOfChannel): void => {
      if (error) reject(error);
      else resolve(one);
    };
    opened.type = "session";
    protocol.session(channels.add(opened), WINDOW_BYTES, PACKET_BYTES);
  });
  const started = new Promise<void>((resolve, reject) => {
    channel._callbacks.push((failed) => {
      if (failed) reject(failed === true ? new Error("it refuses the command") : failed);
      else resolve();
    });
  });
  started.catch(() => undefined);
  protocol.exec(channel.outgoing.id, command, true);
  return { channel, started };
}

// As ssh2's own channels.
const WINDOW_BYTES = 2 * 1024 * 1024;
const PACKET_BYTES = 32 * 1024;

/** Those that an RSA key signs with, by the algorithm's name; other keys know theirs. */
const HASHES: Readonly<Record<string, string>> = {
  "rsa-sha2-256": "sha256",
  "rsa-sha2-512": "sha512",
};

type Sign = (data: Buffer, done: (signature: Buffer) => void) => void;

/** What we use of the inside of ssh2's client. */
interface Inside {
  readonly _protocol: {
    readonly _handlers: { SERVICE_ACCEPT: (protocol: unknown, name: string) => void };
    service: (name: string) => void;
    authPK: (user: string, key: ParsedKey, algorithm?: string, sign?: Sign) => void;
    session(channel: number, window: number, packet: number): void;
    exec(channel: number, command: string, wantsReply: boolean): void;
  };
  readonly _chanMgr: { add(opened: unknown): number };
}

interface InsideOfChannel {
  readonly _callbacks: ((failed?: Error | boolean) => void)[];
  readonly outgoing: { readonly id: number };
}

function inside(connection: Client): Inside {
  if (!isAsKnown(connection)) throw new Error("ssh2 is not the one that we know");
  return connection;
}

function isAsKnown(connection: object): connection is Inside {
  return "_protocol" in connection && "_chanMgr" in connection;
}
