import { renderMode, renderShellWord } from "../hosts/local-path.ts";
import { parseCredentials } from "../credentials/parse.ts";
import type { Credentials } from "../credentials/parse.ts";
import type { FileSnapshot, Ports } from "../ports.ts";
import { waitForRenewal } from "./claude-locks.ts";
import { notFound, unreadable } from "./failures.ts";
import type { Look } from "./failures.ts";
import { listSources } from "./sources.ts";
import type { Source } from "./sources.ts";
import { readStable } from "./stable-read.ts";

/** The credentials file that this user's Claude Code goes by. */
export interface Located {
  readonly path: string;
  /** How messages name it. */
  readonly label: string;
  readonly credentials: Credentials;
  /** The file as it was read, without its bytes: enough to see later whether it has changed. */
  readonly snapshot: Omit<FileSnapshot, "bytes">;
  /** What the user should know of the file besides; whole sentences without a period. */
  readonly notes: readonly string[];
}

/**
 * Finds and reads the credentials of this user, never in the middle of a write, and after a renewal that
 * Claude Code is busy with. Nothing is changed. The file may still hold a login that is of no use: that is
 * for `validate` to say. Errors: `CREDENTIALS_NOT_FOUND`, `CREDENTIALS_UNREADABLE`.
 */
export async function locateCredentials(ports: Ports): Promise<Located> {
  const looks: Look[] = [];
  let unfit: Located | undefined;
  for (const source of listSources(ports)) {
    const located = await readSource(source, ports);
    const found = located === undefined ? "nothing" : findLack(located.credentials, ports);
    if (located !== undefined && found === undefined) return located;
    looks.push({ source, found: found ?? "nothing" });
    unfit ??= located;
  }
  // On macOS such a file is no finding: the Keychain is where the login would be.
  if (unfit !== undefined && ports.platform !== "darwin") return unfit;
  throw notFound(looks, ports);
}

async function readSource(source: Source, ports: Ports): Promise<Located | undefined> {
  const { path, label, directory, isLegacy } = source;
  try {
    const lockNote = isLegacy ? undefined : await waitForRenewal(directory, ports);
    const snapshot = await readStable(path, ports, (bytes) =>
      ["empty", "truncated", "not-json"].includes(parseCredentials(bytes).kind),
    );
    if (snapshot === undefined) return undefined;
    const { bytes, ...metadata } = snapshot;
    const notes = [lockNote, ...noteFile(metadata, source, ports)];
    return {
      path,
      label,
      credentials: parseCredentials(bytes, label),
      snapshot: metadata,
      notes: notes.filter((note) => note !== undefined),
    };
  } catch (error) {
    throw unreadable(source, error, ports);
  }
}

function noteFile(
  { mode }: Pick<FileSnapshot, "mode">,
  { path, label, isLegacy }: Source,
  { platform }: Ports,
): string[] {
  const notes: string[] = [];
  if (platform !== "win32" && (mode & 0o044) !== 0) {
    notes.push(
      `${label} can be read by other users of this laptop (mode ${renderMode(mode)}): run \`chmod 600 ${renderShellWord(path)}\``,
    );
  }
  if (isLegacy) notes.push(`${label} is where only old versions of Claude Code kept the login`);
  if (platform === "darwin") {
    notes.push(`${label} was read, not the Keychain, where Claude Code may have a newer login`);
  }
  return notes;
}

/** Why the search goes on although there is a file; a broken one is not passed over. */
function findLack(credentials: Credentials, ports: Ports): string | undefined {
  if (["mcp-only", "api-key-only", "no-login"].includes(credentials.kind)) {
    return "no login of Claude Code";
  }
  if (credentials.kind !== "login" || ports.platform !== "darwin") return undefined;
  // Beside the Keychain a file is often a leftover that no Claude Code renews any more.
  const { expiresAt = Number.POSITIVE_INFINITY } = credentials.login;
  return expiresAt <= ports.now() ? "a login whose time is over" : undefined;
}
