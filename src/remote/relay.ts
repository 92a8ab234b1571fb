import type { Duplex, Readable } from "node:stream";
import { SyncCredsError } from "../errors.ts";
import { packageFile } from "../package-root.ts";
import type { Ports } from "../ports.ts";
import { renderCommand } from "./command-line.ts";
import { ProcessStream } from "./process-stream.ts";
import type { RemoteProcess, Session } from "./session.ts";

/**
 * The session, with another way for its streams: where sshd forwards no connections, a second command on the host
 * carries them. Forwarding is tried once; what needs the other way says `FORWARDING_REFUSED` only if that fails too.
 */
export function withRelay(session: Session, ports: RelayPorts): Session {
  let refusal: SyncCredsError | undefined;
  return {
    address: session.address,
    lost: session.lost,
    exec: (command) => session.exec(command),
    close: () => session.close(),
    async openStream(host, port) {
      if (refusal === undefined) {
        try {
          return await session.openStream(host, port);
        } catch (error) {
          if (!isRefusal(error, "FORWARDING_REFUSED")) throw error;
          refusal = error;
        }
      }
      return await openRelay({ session, ports, refusal }, host, port);
    },
  };
}

type RelayPorts = Pick<Ports, "files" | "randomHex">;

interface Way {
  readonly session: Session;
  readonly ports: RelayPorts;
  readonly refusal: SyncCredsError;
}

const SCRIPT_PATH = packageFile("src", "remote", "relay.sh");

async function openRelay(way: Way, host: string, port: number): Promise<Duplex> {
  const { session, ports } = way;
  const { bytes } = await ports.files.read(SCRIPT_PATH);
  const script = bytes.toString("utf8");
  const nonce = ports.randomHex(16);
  const relay = await startRelay(way, renderCommand(script));
  relay.stdin.write(`${script}${nonce}\n${host}\n${port}\n`);
  const word = await Promise.race([session.lost, readWord(relay.stdout, nonce)]);
  if (word === "open") return new ProcessStream(relay);
  // A lost link ends the stream a moment before it is known to be lost.
  if (word === undefined) await Promise.race([session.lost, relay.exited]);
  relay.stdin.destroy();
  if (word === "refused") {
    const refused = new Error(`nothing listens on ${host}:${port} of ${session.address}`);
    throw Object.assign(refused, { code: "ECONNREFUSED" });
  }
  throw withoutRelay(
    way.refusal,
    word === "none"
      ? "none of python3, perl, bash and curl is there to carry the question instead"
      : "a second command, to carry the question instead, ended without a word",
    "Or install python3 on the host (perl, bash or curl serve as well)",
  );
}

async function startRelay({ session, refusal }: Way, command: string): Promise<RemoteProcess> {
  try {
    const relay = await session.exec(command);
    relay.exited.catch(() => {}); // told by `lost`
    relay.stdin.on("error", () => {}); // told by the end of stdout
    relay.stdout.on("error", () => {}); // its end says as much
    relay.stderr.resume();
    return relay;
  } catch (error) {
    if (!isRefusal(error, "REMOTE_SHELL")) throw error;
    const why = "it starts no second command to carry the question instead (MaxSessions)";
    throw withoutRelay(refusal, why, "Or set `MaxSessions 2` there, or more");
  }
}

/** What the relay says first, past whatever start-up files print. What comes after it stays in the stream. */
async function readWord(stdout: Readable, nonce: string): Promise<string | undefined> {
  const mark = `\n${nonce} `;
  let seen = Buffer.alloc(0);
  for await (const chunk of stdout.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    seen = Buffer.concat([seen, chunk]);
    const from = seen.indexOf(mark);
    if (from === -1) {
      seen = seen.subarray(-mark.length);
      continue;
    }
    const end = seen.indexOf("\n", from + mark.length);
    if (end === -1) continue;
    stdout.unshift(seen.subarray(end + 1));
    return seen.subarray(from + mark.length, end).toString("utf8");
  }
  return undefined;
}

function withoutRelay(refusal: SyncCredsError, why: string, next: string): SyncCredsError {
  return new SyncCredsError("FORWARDING_REFUSED", refusal.message, {
    why: refusal.why === undefined ? why : `${refusal.why}; ${why}`,
    next: [...refusal.next, next],
    cause: refusal,
  });
}

function isRefusal(error: unknown, code: SyncCredsError["code"]): error is SyncCredsError {
  return error instanceof SyncCredsError && error.code === code;
}
