/** ssh2's and the operating system's errors, in the words of sync-creds. */
import { SyncCredsError } from "../errors.ts";
import type { OpenOptions } from "./open-session.ts";
import { printable } from "./printable.ts";

/** How far a connection had come when it failed. */
export interface Progress {
  stage: "connecting" | "greeting" | "authenticating" | "open";
  /** The first thing the other side said. */
  firstBytes: string;
  /** What the host would accept, once it has refused something. */
  methodsLeft: readonly string[];
  /** A key was accepted, but the host wants more than that. */
  isPartial: boolean;
  /** Whether somebody could answer what the host asks, and had to. */
  person: "absent" | "present" | "asked";
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens on that port",
  ETIMEDOUT: "no answer in time",
  ENOTFOUND: "its name is not known to DNS",
  EAI_AGAIN: "DNS does not answer",
  EHOSTUNREACH: "there is no route to it",
  ENETUNREACH: "there is no route to its network",
  EHOSTDOWN: "it is down",
  ECONNRESET: "it closed the connection before the SSH handshake",
};

const NEXT: Readonly<Record<string, string>> = {
  ECONNREFUSED: "Check the port in hosts.json or ~/.ssh/config, and that sshd runs on the host",
  ENOTFOUND: "Check the spelling of `ssh` in hosts.json",
  EAI_AGAIN: "Check that this computer is online",
  ECONNRESET:
    "Wait a little: sshd drops connections when too many are open (MaxStartups) or after failed logins",
};

/** Whom we tried to reach, in the words of messages. */
export type Peer = Pick<OpenOptions, "address" | "command">;

/** Why no session came about. */
export function openingFailure(thrown: unknown, peer: Peer, progress: Progress): SyncCredsError {
  const { address } = peer;
  if (thrown instanceof SyncCredsError) return thrown;
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  if (/signature verification failed/.test(error.message)) {
    return new SyncCredsError(
      "HOST_KEY_CHANGED",
      `${address} could not prove that its key is its own`,
      {
        why: "the host showed a known public key, but its signature was wrong; nothing was sent to it",
        next: ["Find out who answers at this address before you try again"],
        cause: thrown,
      },
    );
  }
  if (error.message.startsWith("Host denied")) {
    return new SyncCredsError("HOST_KEY_UNKNOWN", `the host key of ${address} is not trusted`, {
      cause: thrown,
    });
  }
  if (
    levelOf(error) === "client-authentication" ||
    /authentication failures/i.test(error.message)
  ) {
    return authenticationFailure(error, address, progress);
  }
  if (levelOf(error) === "handshake" || error.message.startsWith("Handshake failed")) {
    return new SyncCredsError("SSH_UNSUPPORTED", `no common ground with the sshd of ${address}`, {
      why: printable(error.message),
      next: ["Allow curve25519-sha256, an ed25519 or RSA host key and AES-GCM in its sshd_config"],
      cause: thrown,
    });
  }
  return unreachable(error, peer, progress);
}

/** What a person types to be asked about an unknown host key, also where ssh_config has such keys refused. */
export function acceptingCommand(command: string, isStrict: boolean): string {
  return isStrict ? command.replace(/^ssh /, "ssh -o StrictHostKeyChecking=ask ") : command;
}

/** Why an attempt was given up: what the signal was aborted with, else `INTERRUPTED`. */
export function abortReason(signal: AbortSignal | undefined): SyncCredsError {
  if (signal?.reason instanceof SyncCredsError) return signal.reason;
  return new SyncCredsError("INTERRUPTED", "interrupted while connecting");
}

/** The link of an open session is gone. */
export function connectionLost(address: string, thrown: unknown): SyncCredsError {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  const why = /keepalive/i.test(text)
    ? "the host gave no sign of life for too long"
    : /ECONNRESET|EPIPE/.test(text)
      ? "the connection was reset"
      : printable(text);
  return new SyncCredsError("CONNECTION_LOST", `the connection to ${address} was lost`, {
    why,
    next: ["Check the network and run the same command again"],
    cause: thrown,
  });
}

/** The host opens no session for a command. */
export function startsNoCommand(address: string, thrown: unknown): SyncCredsError {
  return new SyncCredsError("REMOTE_SHELL", `${address} starts no command for us`, {
    why: printable(thrown instanceof Error ? thrown.message : String(thrown)),
    next: ["Check MaxSessions in its sshd_config, and that the account may run commands"],
    cause: thrown,
  });
}

/** The host tried to connect us to one of its ports, in vain: an `Error` with code `ECONNREFUSED`. */
export function nothingListens(address: string, target: string, cause: unknown): Error {
  const refused = new Error(`nothing listens on ${target} of ${address}`, { cause });
  return Object.assign(refused, { code: "ECONNREFUSED" });
}

/** The host connects nobody to its ports. */
export function forwardingForbidden(
  address: string,
  target: string,
  cause: unknown,
): SyncCredsError {
  return new SyncCredsError(
    "FORWARDING_REFUSED",
    `the sshd of ${address} forwards no connections`,
    {
      why: `it refused to connect us to ${target}, so the wrapper cannot be asked through SSH`,
      next: [
        "Set `AllowTcpForwarding local` for this account in its sshd_config (and check PermitOpen)",
      ],
      cause,
    },
  );
}

/** Whether the host may just have been too busy to talk: worth another try, unlike a refusal. */
export function isThrottled(error: unknown, { stage, firstBytes }: Progress): boolean {
  if (!(error instanceof Error) || error instanceof SyncCredsError) return false;
  if (stage !== "connecting" && stage !== "greeting") return false;
  const isCut = /ECONNRESET|EPIPE|Connection lost before handshake|closed/.test(error.message);
  return (
    isCut && (firstBytes === "" || firstBytes.startsWith("SSH-") || /MaxStartups/.test(firstBytes))
  );
}

const CHOOSE_ONE_KEY =
  "Name the right key, so that no other is tried: `IdentityFile` with `IdentitiesOnly yes`, or `identityFile` in hosts.json";

function authenticationFailure(
  error: Error,
  address: string,
  { methodsLeft, isPartial, person }: Progress,
): SyncCredsError {
  const wanted = methodsLeft.join(", ");
  const isAskable = methodsLeft.some((one) => one === "password" || one === "keyboard-interactive");
  const isRefusedOutright = methodsLeft.length > 0 && !methodsLeft.includes("publickey");
  const lack =
    person === "absent" && isAskable ? "there is nobody to ask" : "sync-creds cannot give that";
  const more = [
    ...(person === "absent" && isAskable ? ["Run sync-creds on a terminal: it asks"] : []),
    "Or name an account in hosts.json that a key alone lets in",
  ];
  const [why, ...next] =
    person === "asked"
      ? ["the host did not accept what was answered"]
      : isPartial
        ? [`a key was accepted, but the host also wants ${wanted}, and ${lack}`, ...more]
        : isRefusedOutright
          ? [`the host takes no keys, only ${wanted}, and ${lack}`, ...more]
          : /too many/i.test(error.message)
            ? ["the host stopped listening after too many keys", CHOOSE_ONE_KEY]
            : ["the host accepted none of the keys"];
  const what = `${address} did not let us in`;
  return new SyncCredsError("AUTHENTICATION_FAILED", what, { why, next, cause: error });
}

function unreachable(error: Error, { address, command }: Peer, progress: Progress): SyncCredsError {
  const code = codeOf(error);
  const { stage, firstBytes } = progress;
  const isForeign = stage === "greeting" && firstBytes !== "" && !firstBytes.startsWith("SSH-");
  const isTimeout = code === "ETIMEDOUT" || levelOf(error) === "client-timeout";
  const why = isForeign
    ? `what listens there does not speak SSH: it said \`${printable(firstBytes)}\``
    : isTimeout
      ? TIMED_OUT[stage]
      : (REASONS[code] ?? printable(error.message));
  return new SyncCredsError("HOST_UNREACHABLE", `cannot reach ${address}`, {
    why,
    next: [
      ...(NEXT[code] === undefined ? [] : [NEXT[code]]),
      `Check that \`${command}\` works from here`,
    ],
    cause: error,
  });
}

const TIMED_OUT: Readonly<Record<Progress["stage"], string>> = {
  connecting: "it does not answer: the host is down, or a firewall swallows the packets",
  greeting: "the connection was made, but the SSH handshake did not finish in time",
  authenticating: "the host stopped answering while we logged in",
  open: "the host stopped answering",
};

function codeOf(error: Error): string {
  if (/Connection lost before handshake/.test(error.message)) return "ECONNRESET";
  return "code" in error && typeof error.code === "string" ? error.code : "";
}

function levelOf(error: Error): unknown {
  return "level" in error ? error.level : undefined;
}
