import { SyncCredsError } from "../errors.ts";
import { errorCodeOf, renderShellWord } from "../hosts/local-path.ts";
import type { Ports } from "../ports.ts";
import type { Source } from "./sources.ts";
import type { WindowsLogin } from "./wsl.ts";

/** One place that was looked at in vain. */
export interface Look {
  readonly source: Source;
  /** What is there, such as `nothing`. */
  readonly found: string;
}

/** The Keychain among the places. */
export const KEYCHAIN: Source = {
  path: "",
  label: "the Keychain",
  directory: "",
  isLegacy: false,
};
/** What is found in a Keychain that nobody has unlocked. */
export const LOCKED = "it is locked";
/** What is found in a place where Claude Code keeps other things only. */
export const NO_LOGIN = "no login of Claude Code";

/** The error for a search that has ended without a login. `windows` are logins on the other side of WSL. */
export function notFound(
  looks: readonly Look[],
  ports: Ports,
  windows: readonly WindowsLogin[],
): SyncCredsError {
  const named = looks.find(({ source }) => source.variable !== undefined)?.source;
  const places = looks.map(({ source, found }) => `${source.label}: ${found}`).join("; ");
  const keychain = looks.find(({ source }) => source === KEYCHAIN)?.found;
  if (keychain !== undefined && !["nothing", NO_LOGIN].includes(keychain)) {
    return new SyncCredsError("CREDENTIALS_UNREADABLE", "the Keychain cannot be read", {
      why: `${keychain === LOCKED ? "it is locked, as it usually is for somebody who comes over SSH" : keychain}; looked at ${places}`,
      next: [
        "Unlock it: `security unlock-keychain ~/Library/Keychains/login.keychain-db`",
        "Or push from a terminal on the Mac itself",
      ],
    });
  }
  const [other] = windows;
  if (other !== undefined) {
    return new SyncCredsError("CREDENTIALS_NOT_FOUND", "Claude Code is not logged in inside WSL", {
      why: `looked at ${places}; Claude Code for Windows has a login in ${other.label}`,
      next: [
        `Push that one: \`CLAUDE_CONFIG_DIR=${renderShellWord(other.directory)} sync-creds push\``,
        "Or log in here: run `claude` and type `/login`",
      ],
    });
  }
  if (named !== undefined) {
    return new SyncCredsError("CREDENTIALS_NOT_FOUND", `${named.path} does not exist`, {
      why: `${named.variable} points to ${named.directory}; no other place was looked at`,
      next: [
        "Log in there: run `claude` and type `/login`",
        `Or use the login of the default place: \`unset ${named.variable}\``,
      ],
    });
  }
  return new SyncCredsError(
    "CREDENTIALS_NOT_FOUND",
    "Claude Code is not logged in on this laptop",
    {
      why: `looked at ${places}`,
      next: [
        "Log in: run `claude` and type `/login`",
        "If its configuration lies elsewhere, set `CLAUDE_CONFIG_DIR` as Claude Code has it",
        ...(ports.platform === "win32"
          ? ["If you use Claude Code inside WSL, run sync-creds there: WSL has a home of its own"]
          : []),
      ],
    },
  );
}

/** The error for a file that is there and cannot be read. */
export function unreadable(source: Source, error: unknown, { platform, userName }: Ports) {
  const code = errorCodeOf(error);
  if (code === "an unknown error") return error;
  const look =
    platform === "win32"
      ? `Look at it: \`dir /q "${source.path}"\``
      : `Look at it: \`ls -ld ${renderShellWord(source.path)}\``;
  return new SyncCredsError("CREDENTIALS_UNREADABLE", `${source.label} cannot be read`, {
    why: REASONS[code] ?? `the system said ${code}`,
    next:
      code === "EACCES" || code === "EPERM"
        ? [look, `It must belong to ${userName} and have mode 0600`]
        : [code === "EBUSY" ? "Wait for that program to end, then push again" : look],
    cause: error,
  });
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied: it, or a directory above it, belongs to another user",
  EPERM: "permission denied: the system does not let this program read it",
  EISDIR: "it is a directory",
  EINVAL: "it is not a regular file",
  ENXIO: "it is not a regular file",
  EFBIG: "it is larger than 10 MiB: no credentials file is",
  ELOOP: "it is a symbolic link that leads back to itself",
  EBUSY: "another program keeps rewriting it",
};
