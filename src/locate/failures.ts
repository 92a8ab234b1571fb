import { SyncCredsError } from "../errors.ts";
import { errorCodeOf, pathRules, renderShellWord } from "../hosts/local-path.ts";
import type { Ports } from "../ports.ts";
import { keychainService } from "./sources.ts";
import type { Source } from "./sources.ts";

/** One place that was looked at in vain. */
export interface Look {
  readonly source: Source;
  /** What is there, such as `nothing`. */
  readonly found: string;
}

/** The error for a search that has ended without a login. */
export function notFound(looks: readonly Look[], ports: Ports): SyncCredsError {
  const named = looks.find(({ source }) => source.variable !== undefined)?.source;
  const places = looks.map(({ source, found }) => `${source.label}: ${found}`).join("; ");
  if (ports.platform === "darwin") {
    return new SyncCredsError(
      "CREDENTIALS_NOT_FOUND",
      "no credentials file holds a current login",
      {
        why: `macOS keeps it in the Keychain, which this release does not read; looked at ${places}`,
        next: copyFromKeychain(ports),
      },
    );
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

/**
 * A copy in a directory of its own: beside the configuration, Claude Code itself might take it for its
 * login. `umask` is what makes directory and file private from the first byte on.
 */
function copyFromKeychain({ env, home, platform }: Ports): string[] {
  const directory = pathRules({ platform }).join(home, ".sync-creds-login");
  const { CLAUDE_SECURESTORAGE_CONFIG_DIR: store, ...others } = env;
  // While that copy is in use, the variable does not say where the login came from.
  const service = keychainService(store === directory ? others : env);
  const folder = renderShellWord(directory);
  const file = renderShellWord(`${directory}/.credentials.json`);
  return [
    `Copy the login out of the Keychain: \`(umask 077; mkdir -p ${folder} && rm -f ${file} && security find-generic-password -a "$USER" -s "${service}" -w > ${file})\``,
    "Over SSH, unlock the Keychain first: `security unlock-keychain ~/Library/Keychains/login.keychain-db`",
    `Push that copy: \`CLAUDE_SECURESTORAGE_CONFIG_DIR=${folder} sync-creds push\``,
    `Then delete it, for it holds your refresh token: \`rm -r ${folder}\``,
  ];
}
