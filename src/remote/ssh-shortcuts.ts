import type { Client, ClientChannel, ParsedKey } from "ssh2";

/*
 * Two round trips of each connection that the protocol does not ask for and ssh2 takes. It has no public way around them,
 * so these go through its private parts; they are bundled with this program, and do not change behind its back.
 */

/**
 * Has keys at hand sign at once, instead of showing each first to hear whether it is worth it (RFC 4252 §7). One in an agent
 * is shown, for a signature may want a touch. To be called after `connect` and before anything has come in.
 */
export function signAtOnce(connection: Client): void {
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
}

/**
 * Starts a command without hearing that it was started: what it shall read may be sent behind it, and nothing stands before
 * its first words, which sshd would hold back for a round trip (it leaves Nagle on). A host that does not start it says
 * nothing. Rejects when the host opens no channel.
 */
export async function startAtOnce(connection: Client, command: string): Promise<ClientChannel> {
  const { _chanMgr: channels, _protocol: protocol } = inside(connection);
  const channel = await new Promise<ClientChannel & InsideOfChannel>((resolve, reject) => {
    const opened = (error: Error | undefined, one: ClientChannel & InsideOfChannel): void => {
      if (error) reject(error);
      else resolve(one);
    };
    opened.type = "session";
    protocol.session(channels.add(opened), WINDOW_BYTES, PACKET_BYTES);
  });
  protocol.exec(channel.outgoing.id, command, false);
  return channel;
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
    authPK: (user: string, key: ParsedKey, algorithm?: string, sign?: Sign) => void;
    session(channel: number, window: number, packet: number): void;
    exec(channel: number, command: string, wantsReply: boolean): void;
  };
  readonly _chanMgr: { add(opened: unknown): number };
}

interface InsideOfChannel {
  readonly outgoing: { readonly id: number };
}

function inside(connection: Client): Inside {
  if (!isAsKnown(connection)) throw new Error("ssh2 is not the one that we know");
  return connection;
}

function isAsKnown(connection: object): connection is Inside {
  return "_protocol" in connection && "_chanMgr" in connection;
}
