import { parseCredentials } from "../credentials/schema.ts";
import type { Credentials } from "../credentials/schema.ts";
import { SyncCredsError } from "../errors.ts";
import type { FileSnapshot, Ports } from "../ports.ts";
import { findSources } from "./sources.ts";
import type { Source } from "./sources.ts";

/** The credentials of this laptop, wherever they were. */
export interface Located {
  readonly path: string;
  /** For messages: the path, and the variable that points there. */
  readonly label: string;
  readonly credentials: Credentials;
  /** Remarks for the user, one line each. */
  readonly notes: readonly string[];
}

/**
 * Finds and reads the login of this laptop, once it holds still: never while Claude Code is renewing it, and never half
 * of it. Reads only. Errors: `CREDENTIALS_NOT_FOUND`, `CREDENTIALS_UNREADABLE`.
 */
export async function locateCredentials(ports: Ports): Promise<Located> {
  const sources = findSources(ports);
  for (const source of sources) {
    const notes: string[] = [];
    await waitForRenewal(source, ports, notes);
    const read = await readStably(source.path, ports);
    if (read === undefined) continue;
    const { snapshot, credentials } = read;
    if (ports.platform !== "win32" && (snapshot.mode & 0o077) !== 0) {
      notes.push(
        `${source.path} can be read by others on this laptop: \`chmod 600 ${source.path}\``,
      );
    }
    return { path: source.path, label: labelOf(source), credentials, notes };
  }
  throw notFound(sources, ports);
}

const READ_ATTEMPTS = 5;
const READ_PAUSE_MS = 100;
const LOCK_WAIT_MS = 60_000;
const LOCK_POLL_MS = 250;

/** Two reads that agree, of a file that is whole. A file that stays half-written is returned as it is. */
async function readStably(
  path: string,
  ports: Ports,
): Promise<{ snapshot: FileSnapshot; credentials: Credentials } | undefined> {
  let snapshot = await readIfThere(path, ports);
  for (let attempt = 1; snapshot !== undefined; attempt++) {
    const again = await readIfThere(path, ports);
    const isStable = again !== undefined && isSame(snapshot, again);
    const credentials = parseCredentials((again ?? snapshot).bytes);
    const isWhole = !["half-written", "empty"].includes(credentials.shape);
    if ((isStable && isWhole) || attempt === READ_ATTEMPTS) {
      return { snapshot: again ?? snapshot, credentials };
    }
    await ports.sleep(READ_PAUSE_MS);
    snapshot = await readIfThere(path, ports);
  }
  return undefined;
}

function isSame(a: FileSnapshot, b: FileSnapshot): boolean {
  return a.inode === b.inode && a.modifiedAt === b.modifiedAt && a.bytes.equals(b.bytes);
}

/**
 * Claude Code holds a lock directory while it renews the login, and touches it every few seconds. It is waited for and
 * never removed: removing it can cost the login.
 */
async function waitForRenewal({ configDir }: Source, ports: Ports, notes: string[]): Promise<void> {
  const lock = `${configDir}/.oauth_refresh.lock`;
  const until = ports.now() + LOCK_WAIT_MS;
  while (await ports.files.exists(lock)) {
    if (ports.now() >= until) {
      notes.push(`${lock} has been there for a minute; reading the login all the same`);
      return;
    }
    await ports.sleep(LOCK_POLL_MS);
  }
}

async function readIfThere(path: string, ports: Ports): Promise<FileSnapshot | undefined> {
  try {
    return await ports.files.read(path);
  } catch (thrown) {
    const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "unknown";
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new SyncCredsError("CREDENTIALS_UNREADABLE", `${path} cannot be read`, {
      why: UNREADABLE[code] ?? code,
      next: [`Look at it: \`ls -l ${path}\``],
      cause: thrown,
    });
  }
}

const UNREADABLE: Readonly<Record<string, string>> = {
  EACCES: "this account may not read it",
  EPERM: "this account may not read it",
  EISDIR: "it is a directory",
  EINVAL: "it is not a plain file",
  EFBIG: "it is far too large to be a login",
  ELOOP: "it is a link that leads in a circle",
};

function labelOf({ path, variable }: Source): string {
  return variable === undefined ? path : `${path} (by ${variable})`;
}

function notFound(sources: readonly Source[], { platform, env }: Ports): SyncCredsError {
  const places = sources.map(labelOf).join(", ");
  const named = sources.some(({ variable }) => variable !== undefined);
  const next = [
    named
      ? "Unset the variable if it points to the wrong place, or log in there: `claude`, then `/login`"
      : "Log in on this laptop: `claude`, then `/login`",
  ];
  if (platform === "darwin") {
    const account = env["USER"] ?? "$USER";
    next.push(
      "On macOS Claude Code keeps the login in the Keychain, which this release does not read. Export it: " +
        `\`(umask 077; security find-generic-password -a "${account}" -s "Claude Code-credentials" -w > ~/.claude/.credentials.json)\`` +
        ", push, then delete that file",
    );
  }
  return new SyncCredsError("CREDENTIALS_NOT_FOUND", "there is no Claude login on this laptop", {
    why: `looked at ${places}`,
    next,
  });
}
