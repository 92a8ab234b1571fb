import { SyncCredsError } from "../errors.ts";
import type { OpensshOptions } from "./open-session.ts";
import { printable } from "./printable.ts";
import {
  acceptingCommand,
  connectionLost,
  openingFailure,
  type Peer,
  type Progress,
} from "./ssh-failures.ts";

/** What `ssh` says on its way out, and the system's name for the same. */
const NETWORK: readonly [pattern: RegExp, code: string][] = [
  [/Connection refused/, "ECONNREFUSED"],
  [/(?:Operation|Connection) timed out/, "ETIMEDOUT"],
  [/No route to host/, "EHOSTUNREACH"],
  [/Network is unreachable/, "ENETUNREACH"],
  [/Temporary failure in name resolution/, "EAI_AGAIN"],
  [/Could not resolve hostname/, "ENOTFOUND"],
  [/Connection reset|Connection closed by remote host/, "ECONNRESET"],
];

/** Lines of the log that are no cause: `ssh` talks a lot, and its last words are often the least telling. */
const IS_TALK =
  /^debug\d: |^OpenSSH_|^Authenticat|^Warning: Permanently added|^Pseudo-terminal|^\s*$|^Killed by signal|^Connection closed by UNKNOWN|^stdio forwarding failed/;

/** Whom we tried to reach, and over whom. */
type Failed = Pick<OpensshOptions, "address" | "command" | "hops">;

/** Why no session came about, from everything `ssh` has said; the words are those of the other transport. */
export function opensshFailure(log: readonly string[], target: Failed): SyncCredsError {
  const said = log.filter((line) => !IS_TALK.test(line));
  const text = said.join("\n");
  const hop = failedHop(log, text, target);
  const peer = hop ?? target;
  const { address, command } = peer;
  const cause = new Error(text);
  const failure = (code: ConstructorParameters<typeof SyncCredsError>[0], what: string) => {
    return (why: string, next: readonly string[] = []) =>
      new SyncCredsError(code, what, { why, next, cause });
  };
  if (/Host key verification failed/.test(text)) return hostKeyFailure(log, text, peer);
  if (/Permission denied \(|Too many authentication failures|No more authentication/.test(text)) {
    return failure("AUTHENTICATION_FAILED", `${address} did not let us in`)(
      refusalOf(hop ? undefined : log, text),
      [`Check that \`${command}\` works from here`],
    );
  }
  if (/Bad configuration option|bad configuration options|Bad owner or permissions/.test(text)) {
    return failure("SSH_UNSUPPORTED", "`ssh` does not accept its configuration")(
      printable(said[0] ?? text),
      ["Correct the file that it names"],
    );
  }
  if (/Unable to negotiate|no matching .* found/.test(text)) {
    const line = said.find((one) => one.includes("no matching")) ?? text;
    return failure("SSH_UNSUPPORTED", `no common ground with the sshd of ${address}`)(
      printable(line.replace(/^Unable to negotiate with .*?: /, "")),
      ["Update the older of the two: the OpenSSH here, or the one on the host"],
    );
  }
  if (/not found$|ENOENT/m.test(text) && /\bssh: (?:not found|.*ENOENT)/.test(text)) {
    return failure("SSH_UNSUPPORTED", `${address} needs the system's \`ssh\``)(
      "there is no `ssh` program here",
      ["Install the OpenSSH client"],
    );
  }
  return unreachable(log, said, peer, hop === undefined ? detourOf(log, target.hops) : undefined);
}

/** Whether sshd may just have been too busy to talk: worth another try. A jump host or proxy that failed is not. */
export function isThrottledBy(log: readonly string[]): boolean {
  const said = log.filter((line) => !IS_TALK.test(line));
  const isCut =
    /^(?:(?:kex_exchange_identification|ssh: connect to host .*): .*(?:closed by remote host|Connection reset)|Connection (?:closed|reset) by \S+ port -?\d+$)/;
  // A busy sshd may say so before it hangs up.
  const greeting = foreignGreetingOf(log).replace("Exceeded MaxStartups", "");
  return said.length > 0 && said.every((line) => isCut.test(line)) && greeting === "";
}

/** Why a port of the host was not opened, from the line of the master's log. */
export function isForwardingForbidden(line: string): boolean {
  return /administratively prohibited|unknown channel type|resource shortage/.test(line);
}

/** The link of an open session is gone. */
export function masterLost(log: readonly string[], address: string): SyncCredsError {
  const last = log.findLast((line) => !IS_TALK.test(line)) ?? "";
  const text = /Timeout, server .* not responding/.test(last) ? "keepalive" : last;
  return connectionLost(address, new Error(text || "`ssh` has ended"));
}

/** What something that is no sshd said instead of a greeting. */
function foreignGreetingOf(log: readonly string[]): string {
  const line = log.find((one) => one.includes("kex_exchange_identification: banner line 0: "));
  return line?.replace(/^.*banner line 0: /, "") ?? "";
}

/** The jump host that the failure is about: the host itself has not said a word then. */
function failedHop(
  log: readonly string[],
  text: string,
  { address, command, hops }: Failed,
): Peer | undefined {
  if (log.some((line) => line.startsWith("debug1: Remote protocol version"))) return undefined;
  const named = hops.find(({ names }) => names.some((name) => text.includes(name)));
  if (named !== undefined || hops.length === 0) return named;
  if (!/Host key verification failed|Permission denied/.test(text)) return undefined;
  return hops.length === 1 ? hops[0] : { address: `a jump host of ${address}`, command };
}

/** What leads to the host in place of a plain connection. */
interface Detour {
  readonly why: string;
  readonly next: string;
}

/** Another program leads to the host; when that ends, `ssh` sees no more than a closed connection. */
function detourOf(log: readonly string[], hops: OpensshOptions["hops"]): Detour | undefined {
  if (hops.length > 0) {
    return {
      why: "the way through its jump host ended before the host spoke",
      next: `Log in to the jump host with \`${hops.at(-1)?.command}\`, and from there to the host`,
    };
  }
  if (log.some((line) => line.startsWith("debug1: Executing proxy command"))) {
    return {
      why: "its ProxyCommand gave no way to the host",
      next: "Run the ProxyCommand of your ssh configuration by hand and see what it says",
    };
  }
  return undefined;
}

function unreachable(
  log: readonly string[],
  said: readonly string[],
  peer: Peer,
  detour: Detour | undefined,
): SyncCredsError {
  const text = said.join("\n");
  const [, code] = NETWORK.find(([pattern]) => pattern.test(text)) ?? [];
  const firstBytes = foreignGreetingOf(log);
  const isGreeting = /banner|kex_exchange_identification/.test(text);
  const progress: Progress = {
    stage: isGreeting ? "greeting" : "connecting",
    firstBytes,
    methodsLeft: [],
    isPartial: false,
    person: "absent",
  };
  // That the line went dead is the least telling; whoever else spoke knows why.
  const telling = said.find((line) => !line.startsWith("kex_exchange_identification")) ?? said[0];
  const words = printable(telling ?? "it ended without a word").replace(/^ssh: /, "");
  const error = openingFailure(Object.assign(new Error(words), { code }), peer, progress);
  if (firstBytes !== "") return error;
  if (isGreeting && detour !== undefined) {
    return new SyncCredsError(error.code, error.message, {
      why: `${detour.why} (\`ssh\`: ${words})`,
      next: [detour.next, `Check that \`${peer.command}\` works from here`],
      cause: error.cause,
    });
  }
  // The first line names whoever failed: with jump hosts or a proxy that need not be the host.
  const why = code === undefined ? words : `${error.why} (\`ssh\`: ${words})`;
  return new SyncCredsError(error.code, error.message, {
    why,
    next: error.next,
    cause: error.cause,
  });
}

function hostKeyFailure(
  log: readonly string[],
  text: string,
  { address, command }: Peer,
): SyncCredsError {
  const shown = log.findLast((line) => line.startsWith("debug1: Server host key: "));
  const key = printable(shown?.replace("debug1: Server host key: ", "") ?? "a key");
  const forgetting = /^\s*(ssh-keygen -f .+ -R .+?)\s*$/m.exec(text)?.[1] ?? "ssh-keygen -R HOST";
  const place = /(?:Offending .* in|REVOKED HOST KEY.*\n.*in) (\S+:\d+)/.exec(text)?.[1];
  const nothingSent = "nothing was sent to it";
  const compare = "Compare it with what `ssh-keygen -l` prints for the key on the host itself";
  if (/REVOKED HOST KEY/.test(text)) {
    return new SyncCredsError("HOST_KEY_REVOKED", `the host key of ${address} is revoked`, {
      why: `known_hosts marks ${key} as @revoked; ${nothingSent}`,
      next: ["Find out who answers at this address; the host must get a new key"],
    });
  }
  if (/IDENTIFICATION HAS CHANGED/.test(text)) {
    return new SyncCredsError("HOST_KEY_CHANGED", `the host key of ${address} has changed`, {
      why: `${place ?? "the key on record"} says otherwise, the host shows ${key}: somebody may be listening in, or the host was set up anew; ${nothingSent}`,
      next: [compare, `If it is the right one, forget the old key: \`${forgetting}\``],
    });
  }
  const accepting = acceptingCommand(command, /requested strict checking/.test(text));
  const certificate = /Certificate invalid: (.*)/.exec(text)?.[1];
  return new SyncCredsError("HOST_KEY_UNKNOWN", `the host key of ${address} is not known`, {
    why:
      certificate === undefined
        ? `it shows ${key}, which is in no known_hosts; ${nothingSent}`
        : `its certificate does not count: ${printable(certificate)}; ${nothingSent}`,
    next: [compare, `If it is the right one, accept it with \`${accepting}\``],
  });
}

/** Which keys `ssh` has offered, and what the host would take. The `ssh` to a jump host does not tell its keys. */
function refusalOf(log: readonly string[] | undefined, text: string): string {
  const offered = (log ?? [])
    .filter((line) => line.startsWith("debug1: Offering public key: "))
    .map((line) => printable(line.replace("debug1: Offering public key: ", "")));
  const taken = /Permission denied \((.*?)\)/.exec(text)?.[1];
  return [
    log !== undefined && offered.length === 0
      ? "`ssh` had no key to offer"
      : "the host accepted none of the keys",
    ...(taken === undefined ? [] : [`it takes ${printable(taken)}`]),
    ...(offered.length === 0 ? [] : [`offered: ${offered.join(", ")}`]),
  ].join("; ");
}
