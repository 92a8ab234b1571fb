import { renderMode, renderShellWord } from "../hosts/local-path.ts";
import { parseCredentials } from "../credentials/parse.ts";
import type { Credentials } from "../credentials/parse.ts";
import { fingerprintOf } from "../credentials/fingerprint.ts";
import type { FileSnapshot, Ports } from "../ports.ts";
import { waitForRenewal } from "./claude-locks.ts";
import { KEYCHAIN, LOCKED, NO_LOGIN, notFound, unreadable } from "./failures.ts";
import type { Look } from "./failures.ts";
import { readKeychain } from "./keychain.ts";
import { listSources } from "./sources.ts";
import type { Source } from "./sources.ts";
import { readStable } from "./stable-read.ts";
import { findWindowsLogins, isOnWindowsDisk, type WindowsLogin } from "./wsl.ts";

/** The login that this user's Claude Code goes by. */
export interface Located {
  /** How messages name the place: `~/.claude/.credentials.json`, `the Keychain`. */
  readonly label: string;
  readonly credentials: Credentials;
  /** What the user should know of it besides; whole sentences without a period. */
  readonly notes: readonly string[];
}

/**
 * Finds and reads the credentials of this user, never in the middle of a write, and after a renewal that
 * Claude Code is busy with. On macOS the Keychain and the file are compared: the login that lasts longer is the current
 * one. Nothing is changed. The login may still be of no use: that is for `validate` to say.
 * Errors: `CREDENTIALS_NOT_FOUND`, `CREDENTIALS_UNREADABLE`.
 */
export async function locateCredentials(ports: Ports): Promise<Located> {
  const looks: Look[] = [];
  const stored = ports.platform === "darwin" ? await lookIntoKeychain(ports, looks) : undefined;
  const file = await findFile(ports, looks);
  const windows = (await findWindowsLogins(ports)).filter(
    ({ label }) => !file?.label.startsWith(label),
  );
  if (stored !== undefined && file !== undefined) {
    const [used, other] = lastsLonger(file.credentials, stored.credentials)
      ? [file, stored]
      : [stored, file];
    return { ...used, notes: [...used.notes, noteChoice(used, other, ports)] };
  }
  const only = stored ?? file;
  if (only === undefined) throw notFound(looks, ports, windows);
  const lack = looks.find(({ source }) => source === KEYCHAIN)?.found;
  return {
    ...only,
    notes: [
      ...only.notes,
      ...(lack === undefined || lack === "nothing"
        ? []
        : [`${only.label} was read, not the Keychain: ${lack}`]),
      ...windows.map((one) => noteWindows(one, ports)),
    ],
  };
}

/** The first file with a login of Claude Code; else the first that is there at all. */
async function findFile(ports: Ports, looks: Look[]): Promise<Located | undefined> {
  let unfit: Located | undefined;
  for (const source of listSources(ports)) {
    const located = await readSource(source, ports);
    const lack = located === undefined ? "nothing" : findLack(located.credentials);
    if (located !== undefined && lack === undefined) return located;
    looks.push({ source, found: lack ?? "nothing" });
    unfit ??= located;
  }
  // On macOS such a file is no finding: the Keychain is where the login would be.
  return ports.platform === "darwin" ? undefined : unfit;
}

async function lookIntoKeychain(ports: Ports, looks: Look[]): Promise<Located | undefined> {
  const answer = await readKeychain(ports);
  if (answer.kind !== "found") {
    const found = { absent: "nothing", locked: LOCKED, unreadable: "" }[answer.kind];
    looks.push({ source: KEYCHAIN, found: answer.kind === "unreadable" ? answer.why : found });
    return undefined;
  }
  const credentials = parseCredentials(answer.bytes, KEYCHAIN.label);
  const lack = findLack(credentials);
  if (lack === undefined) return { label: KEYCHAIN.label, credentials, notes: [] };
  looks.push({ source: KEYCHAIN, found: lack });
  return undefined;
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
      label,
      credentials: parseCredentials(bytes, label),
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
  // A Windows disk inside WSL shows every file as open to all.
  if (platform !== "win32" && (mode & 0o044) !== 0 && !isOnWindowsDisk(path)) {
    notes.push(
      `${label} can be read by other users of this laptop (mode ${renderMode(mode)}): run \`chmod 600 ${renderShellWord(path)}\``,
    );
  }
  if (isLegacy) notes.push(`${label} is where only old versions of Claude Code kept the login`);
  return notes;
}

/** Why the search goes on although there is something; what is broken is not passed over. */
function findLack(credentials: Credentials): string | undefined {
  const isMisfit = ["mcp-only", "api-key-only", "no-login"].includes(credentials.kind);
  return isMisfit ? NO_LOGIN : undefined;
}

/** A broken one never wins, a login without an end of time does. */
function lastsLonger(one: Credentials, other: Credentials): boolean {
  return endOf(one) > endOf(other);
}

function endOf(credentials: Credentials): number {
  if (credentials.kind !== "login" || credentials.login.accessToken === undefined) return -1;
  return credentials.login.expiresAt ?? Number.POSITIVE_INFINITY;
}

function noteChoice(used: Located, other: Located, ports: Ports): string {
  return `${used.label} holds the newer login; ${describe(other, ports)}`;
}

function noteWindows(login: WindowsLogin, ports: Ports): string {
  return `${describe(login, ports)}: to push that one, \`CLAUDE_CONFIG_DIR=${renderShellWord(login.directory)} sync-creds push\``;
}

/** A login by place, fingerprint and end: never by its token. */
function describe(
  { label, credentials }: Pick<Located, "label" | "credentials">,
  ports: Ports,
): string {
  if (credentials.kind !== "login" || credentials.login.accessToken === undefined) {
    return `${label} holds none that works`;
  }
  const { accessToken, expiresAt } = credentials.login;
  const end = expiresAt === undefined ? "without an end" : new Date(expiresAt).toISOString();
  const isOver = expiresAt !== undefined && expiresAt <= ports.now();
  return `${label} holds ${fingerprintOf(accessToken)}, ${isOver ? "over since" : "valid until"} ${end}`;
}
