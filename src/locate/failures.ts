import { SyncCredsError } from "../errors.ts";
import { errorCodeOf, renderShellWord } from "../hosts/local-path.ts";
import type { Ports } from "../ports.ts";
import type { KeychainAnswer } from "./keychain.ts";
import { describeHolding } from "./located.ts";
import type { Source } from "./sources.ts";
import type { WindowsLogin } from "./wsl.ts";

/** Opens the Keychain for the session that runs it. */
export const UNLOCK = "security unlock-keychain ~/Library/Keychains/login.keychain-db";

/** One place that was looked at in vain. */
export interface Look {
  readonly label: string;
  /** What is there, such as `nothing`. */
  readonly found: string;
}

/** The error for a search that has ended without a login. `windows` are logins on the other side of WSL. */
export function notFound(
  sources: readonly Source[],
  looks: readonly Look[],
  ports: Ports,
  windows: readonly WindowsLogin[] = [],
): SyncCredsError {
  const named = sources.find(({ variable }) => variable !== undefined);
  const places = looks.map(({ label, found }) => `${label}: ${found}`).join("; ");
  if (windows.length > 0) {
    const held = windows.map(
      ({ label, credentials }) => `${label}: ${describeHolding(credentials, ports.now())}`,
    );
    return new SyncCredsError("CREDENTIALS_NOT_FOUND", "Claude Code is not logged in inside WSL", {
      why: `looked at ${places}; Claude Code for Windows has a login in ${held.join("; ")}`,
      next: [
        ...windows.map(({ command }) => `Push that of Windows: \`${command}\``),
        "Or log in here: run `claude` and type `/login`",
      ],
    });
  }
  if (named !== undefined) {
    const what =
      ports.platform === "darwin"
        ? `neither the Keychain nor ${named.path} has the login of that directory`
        : `${named.path} does not exist`;
    return new SyncCredsError("CREDENTIALS_NOT_FOUND", what, {
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

/** The error for a Keychain that does not give the login; `found` says what is in the files beside it. */
export function keychainUnreadable(
  answer: Extract<KeychainAnswer, { kind: "locked" | "unreadable" }>,
  found: string,
): SyncCredsError {
  const why =
    answer.kind === "locked"
      ? "it is locked, as it usually is for somebody who comes over SSH, and after sleep"
      : answer.why;
  return new SyncCredsError("CREDENTIALS_UNREADABLE", "the Keychain cannot be read", {
    why: `${why}; looked at ${found}`,
    next: [`Unlock it: \`${UNLOCK}\``, "Or push from a terminal on the Mac itself"],
  });
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
