import { SyncCredsError } from "../errors.ts";
import { fingerprintOf } from "../credentials/fingerprint.ts";
import type { FileSnapshot, Ports } from "../ports.ts";
import { Secret } from "../secret.ts";
import { readEntry, tokenPath } from "../tokens/entries.ts";
import { keychainFor, keychainLabel, whyNot } from "../tokens/keychain.ts";
import { classifyToken } from "../tokens/recognise.ts";
import type { TokenKind } from "../tokens/recognise.ts";
import type { SecretReference } from "./host.ts";
import { errorCodeOf, renderMode, renderShellWord, toAbsolutePath } from "./local-path.ts";

const COMMAND_TIMEOUT_MS = 30_000;
const LARGEST = 16 * 1024;

/**
 * The secret that a reference of hosts.json points to, fit to stand in an HTTP header. Relative files
 * start from `baseDirectory`, the folder of hosts.json. Error: `SECRET_UNAVAILABLE`; it names the
 * reference, never what was found there.
 */
export async function resolveSecret(
  reference: SecretReference,
  ports: Ports,
  baseDirectory: string,
): Promise<Secret> {
  return (await resolveStoredSecret(reference, ports, baseDirectory)).secret;
}

/** A secret, and what is known of it. */
export interface StoredSecret {
  readonly secret: Secret;
  /** By its prefix, which does not tell a setup token from a login's access token. */
  readonly kind: TokenKind;
  /** When it was issued, epoch milliseconds: known of what `sync-creds token set` has stored. */
  readonly issuedAt: number | undefined;
}

/** As `resolveSecret`, with what is known of the secret besides. Errors: `SECRET_UNAVAILABLE`, `TOKEN_STORE`. */
export async function resolveStoredSecret(
  reference: SecretReference,
  ports: Ports,
  baseDirectory: string,
): Promise<StoredSecret> {
  if ("token" in reference) return await fromStoredToken(reference.token, ports);
  const secret = await fromElsewhere(reference, ports, baseDirectory);
  return { secret, kind: classifyToken(secret), issuedAt: undefined };
}

async function fromElsewhere(
  reference: Exclude<SecretReference, { readonly token: string }>,
  ports: Ports,
  baseDirectory: string,
): Promise<Secret> {
  if ("env" in reference) return fromVariable(reference.env, ports);
  if ("command" in reference) return fromCommand(reference.command, ports);
  return fromFile(toAbsolutePath(reference.file, baseDirectory, ports), ports);
}

function fromVariable(variable: string, ports: Ports): Secret {
  const value = ports.env[variable];
  if (value !== undefined) return toSecret(value, `the variable ${variable}`);
  throw unavailable(`the variable ${variable} is not set`, {
    why: "hosts.json says that a secret stands there",
    next: [`Set \`${variable}\` in the shell that runs sync-creds`],
  });
}

async function fromCommand(command: string, ports: Ports): Promise<Secret> {
  const source = `the command \`${command}\``;
  const [shell, argv] =
    ports.platform === "win32" ? ["cmd", ["/d", "/c", command]] : ["/bin/sh", ["-c", command]];
  const next = ["Run the command yourself: it must print the secret and nothing else"];
  const ran = await ports.run(shell, argv, { timeoutMs: COMMAND_TIMEOUT_MS }).catch(() => {
    // The cause is left out: it may hold what the command had printed so far.
    throw unavailable(`${source} did not finish`, {
      why: `it could not be started, or took longer than ${COMMAND_TIMEOUT_MS / 1000} s`,
      next,
    });
  });
  if (ran.code === 0) return toSecret(ran.stdout, source);
  const ending = ran.code === null ? "was killed by a signal" : `ended with status ${ran.code}`;
  throw unavailable(`${source} failed`, { why: `it ${ending}`, next });
}

async function fromStoredToken(name: string, ports: Ports): Promise<StoredSecret> {
  const entry = await readEntry(name, ports);
  const howToStore = `Store it: \`sync-creds token set ${name}\``;
  const secret =
    entry?.store === "keychain"
      ? await fromKeychain(name, ports, howToStore)
      : await fromFile(tokenPath(name, ports), ports, howToStore);
  // Somebody may have put another token there since.
  const isMeant = entry?.fingerprint === fingerprintOf(secret);
  return {
    secret,
    kind: classifyToken(secret),
    issuedAt: isMeant ? entry.issuedAt : undefined,
  };
}

async function fromKeychain(name: string, ports: Ports, howToStore: string): Promise<Secret> {
  const label = keychainLabel(ports);
  const source = `the token ${name} in ${label}`;
  const secret = await Promise.resolve()
    .then(() => keychainFor(ports).read(name))
    .catch((error: unknown) => {
      throw unavailable(`${source} cannot be read`, {
        why: whyNot(error),
        next: [
          `Unlock ${label}, or store the token in a file: \`SYNC_CREDS_TOKEN_STORE=file sync-creds token set ${name}\``,
        ],
      });
    });
  if (secret !== undefined) return secret;
  throw unavailable(`${source} is gone`, {
    why: `${label} is locked, or something else has removed it`,
    next: [howToStore],
  });
}

async function fromFile(
  path: string,
  ports: Ports,
  whenMissing = "Correct the path in hosts.json, or write the file with mode 0600",
): Promise<Secret> {
  const { bytes, mode } = await readSecretFile(path, ports, whenMissing);
  if (ports.platform !== "win32" && (mode & 0o077) !== 0) {
    throw unavailable(`the file ${path} is open to other users`, {
      why: `a secret stands there, and its mode is ${renderMode(mode)}`,
      next: [`Run \`chmod 600 ${renderShellWord(path)}\``],
    });
  }
  return toSecret(bytes.toString("utf8"), `the file ${path}`);
}

async function readSecretFile(
  path: string,
  ports: Ports,
  whenMissing: string,
): Promise<FileSnapshot> {
  try {
    return await ports.files.read(path);
  } catch (error) {
    const code = errorCodeOf(error);
    if (code === "ENOENT") {
      throw unavailable(`the file ${path} does not exist`, {
        why: "hosts.json says that a secret stands there",
        next: [whenMissing],
      });
    }
    throw unavailable(`the file ${path} cannot be read`, {
      why: `the system said ${code}`,
      next: [`Look at it with \`ls -l ${renderShellWord(path)}\``],
    });
  }
}

/** Without the line feed that editors and commands add; refused when it cannot be a header's value. */
function toSecret(text: string, source: string): Secret {
  const value = text.replace(/\r?\n$/, "");
  const flaw = findFlaw(value);
  if (flaw === undefined) return new Secret(value);
  throw unavailable(`${source} ${flaw}`, {
    why: "the secret becomes part of an HTTP header: one line of Latin-1 text",
    next: ["Put the secret there, and nothing else"],
  });
}

function findFlaw(value: string): string | undefined {
  if (value.trim() === "") return "is empty";
  if (value.length > LARGEST) return "holds too much to be a secret";
  if (/[\r\n]/.test(value)) return "holds more than one line";
  if (!/^[\t\x20-\x7e\xa0-\xff]+$/.test(value)) return "holds characters that cannot be sent";
  return undefined;
}

function unavailable(
  what: string,
  explanation: { readonly why: string; readonly next: readonly string[] },
): SyncCredsError {
  return new SyncCredsError("SECRET_UNAVAILABLE", what, explanation);
}
