import * as z from "zod/mini";
import { SyncCredsError } from "../errors.ts";
import {
  errorCodeOf,
  findConfigDirectory,
  pathRules,
  renderShellWord,
} from "../hosts/local-path.ts";
import type { Ports } from "../ports.ts";

/** What is known of a stored token besides the token: nothing secret. */
export interface TokenEntry {
  readonly kind: "setup-token" | "api-key" | "other";
  /** Of the token that the entry is about; with another one in its place the rest says nothing. */
  readonly fingerprint: string;
  /** When it was issued, as far as that is known: epoch milliseconds. */
  readonly issuedAt: number;
  readonly store: TokenStore;
}

/** Where a token is kept. */
export type TokenStore = "keychain" | "file";

const Entry = z.object({
  kind: z.enum(["setup-token", "api-key", "other"]),
  fingerprint: z.string().check(z.regex(/^[0-9a-f]{8}$/)),
  issuedAt: z.int().check(z.nonnegative()),
  store: z.enum(["keychain", "file"]),
});

/** The file that holds a token, unless the keychain does; a user may have written it. */
export function tokenPath(name: string, ports: Ports): string {
  return pathRules(ports).join(tokensFolder(ports), name);
}

/** The folder of all tokens. */
export function tokensFolder(ports: Ports): string {
  return pathRules(ports).join(findConfigDirectory(ports), "tokens");
}

/** What is known of the token of that name; `undefined` without an entry. Error: `TOKEN_STORE`. */
export async function readEntry(name: string, ports: Ports): Promise<TokenEntry | undefined> {
  const path = entryPath(name, ports);
  if (!(await ports.files.exists(path))) return undefined;
  const { bytes } = await ports.files.read(path).catch((error: unknown) => {
    throw unreadable(path, name, `the system said ${errorCodeOf(error)}`);
  });
  const entry = Entry.safeParse(parseJson(bytes.toString("utf8")));
  if (entry.success) return entry.data;
  throw unreadable(path, name, "it is not as sync-creds writes it");
}

/** Notes what is known of a token. Error: `TOKEN_STORE`. */
export async function writeEntry(name: string, entry: TokenEntry, ports: Ports): Promise<void> {
  const path = entryPath(name, ports);
  try {
    await ports.files.writePrivate(path, Buffer.from(`${JSON.stringify(entry)}\n`));
  } catch (error) {
    throw unwritable(path, error);
  }
}

/** Forgets what is known of a token. Error: `TOKEN_STORE`. */
export async function removeEntry(name: string, ports: Ports): Promise<void> {
  const path = entryPath(name, ports);
  await ports.files.remove(path).catch((error: unknown) => {
    throw unwritable(path, error);
  });
}

/** The names of all tokens: those with an entry, and files that a user has written; sorted. */
export async function listTokenNames(ports: Ports): Promise<string[]> {
  const namesIn = (folder: string) => ports.files.list(folder).catch(() => []);
  const entries = await namesIn(pathRules(ports).dirname(entryPath("any", ports)));
  const names = [
    ...(await namesIn(tokensFolder(ports))),
    ...entries.filter((file) => file.endsWith(".json")).map((file) => file.slice(0, -5)),
  ];
  return [...new Set(names)].filter((name) => TOKEN_NAME.test(name)).sort();
}

/** The name of a stored token. A dot in front is left to ourselves. */
export const TOKEN_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** The error for a place that cannot be written. */
export function unwritable(path: string, error: unknown): SyncCredsError {
  return new SyncCredsError("TOKEN_STORE", `${path} cannot be written`, {
    why: `the system said ${errorCodeOf(error)}`,
    next: [`Look at it: \`ls -ld ${renderShellWord(path)}\``],
    cause: error,
  });
}

function entryPath(name: string, ports: Ports): string {
  return pathRules(ports).join(tokensFolder(ports), ".index", `${name}.json`);
}

function unreadable(path: string, name: string, why: string): SyncCredsError {
  return new SyncCredsError("TOKEN_STORE", `what is known of the token ${name} cannot be read`, {
    why: `${path}: ${why}`,
    next: [`Store it anew: \`sync-creds token set ${name}\``],
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
