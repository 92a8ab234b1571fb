/** OpenSSH's known_hosts: which keys it knows for a host, and what it says about the key a host offers. */
import { createHash, createHmac } from "node:crypto";
import { isWellFormedKey, keyTypeOf } from "./key-blob.ts";
import { matchesPatternList } from "./patterns.ts";

/** The text of one known_hosts file. */
export interface KnownHostsFile {
  readonly path: string;
  readonly text: string;
}

/**
 * `changed` also covers a host that is known by keys of other types only: OpenSSH calls that unknown,
 * but known types are asked for first, so a host that still had its old key would have shown it.
 */
type HostKeyVerdict = "known" | "unknown" | "changed" | "revoked" | "ca-only";

export interface HostKeyJudgement {
  readonly verdict: HostKeyVerdict;
  /** Of the keys on record for this host, `SHA256:…`. */
  readonly knownFingerprints: readonly string[];
  /** The line that decided; absent when nothing is on record. */
  readonly file?: string;
  /** Counts from 1. */
  readonly line?: number;
  /** The name that was looked up: `host` or `[host]:port`. */
  readonly name: string;
}

interface Entry {
  readonly marker: "revoked" | "cert-authority" | undefined;
  readonly key: Buffer;
  readonly file: string;
  readonly line: number;
}

/**
 * Judges the key (wire format) that a host offers, as OpenSSH does. For an alias (`HostKeyAlias`) pass
 * port 22: OpenSSH looks it up without a port.
 */
export function judgeHostKey(
  files: readonly KnownHostsFile[],
  host: string,
  port: number,
  key: Buffer,
): HostKeyJudgement {
  const judgement = judgeName(files, lookupName(host, port), key);
  const isRecorded = judgement.verdict !== "unknown" && judgement.verdict !== "ca-only";
  if (port === 22 || isRecorded) return judgement;
  // A key recorded under the bare host name counts for every port of it that has no key of its own
  // (sshconnect.c, "checking without port identifier").
  const bare = judgeName(files, lookupName(host, 22), key);
  return bare.verdict === "unknown" ? judgement : bare;
}

/** The types of the keys on record for a host, so that the handshake can ask for these first. */
export function knownKeyTypes(
  files: readonly KnownHostsFile[],
  host: string,
  port: number,
): string[] {
  const ofPort = entriesFor(files, lookupName(host, port)).filter(isPlain);
  const entries =
    ofPort.length > 0 ? ofPort : entriesFor(files, lookupName(host, 22)).filter(isPlain);
  return [...new Set(entries.map((entry) => keyTypeOf(entry.key)))];
}

/** Whether an authority may certify the key of a host. */
export function hasAuthority(
  files: readonly KnownHostsFile[],
  host: string,
  port: number,
): boolean {
  return [port, 22].some((one) =>
    entriesFor(files, lookupName(host, one)).some(({ marker }) => marker === "cert-authority"),
  );
}

/** Whether there are keys on record for a host, and every one of them is marked as revoked. */
export function hasOnlyRevokedKeys(
  files: readonly KnownHostsFile[],
  host: string,
  port: number,
): boolean {
  const entries = [port, 22].flatMap((one) => entriesFor(files, lookupName(host, one)));
  const revoked = entries.filter(({ marker }) => marker === "revoked");
  const plain = entries.filter(isPlain);
  return plain.length > 0 && plain.every(({ key }) => revoked.some((bad) => bad.key.equals(key)));
}

/** A public key's fingerprint, as `ssh-keygen -l` prints it: `SHA256:` and unpadded base64. */
export function fingerprintOfKey(key: Buffer): string {
  return `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
}

/** The line that makes a key known. With a salt (20 random bytes) the host's name is hashed. */
export function renderKnownHostsLine(
  host: string,
  port: number,
  key: Buffer,
  salt?: Buffer,
): string {
  const name = lookupName(host, port);
  const shown = salt === undefined ? name : `|1|${salt.toString("base64")}|${hashName(name, salt)}`;
  return `${shown} ${keyTypeOf(key)} ${key.toString("base64")}`;
}

/** The name a host has in known_hosts: `host`, or `[host]:port` when the port is not 22. */
function lookupName(host: string, port: number): string {
  const name = host.toLowerCase();
  return port === 22 ? name : `[${name}]:${port}`;
}

function judgeName(files: readonly KnownHostsFile[], name: string, key: Buffer): HostKeyJudgement {
  const entries = entriesFor(files, name);
  const plain = entries.filter(isPlain);
  const revoked = entries.find(({ marker, key: bad }) => marker === "revoked" && bad.equals(key));
  const match = plain.find((entry) => entry.key.equals(key));
  const authority = entries.find(({ marker }) => marker === "cert-authority");
  const sameType = plain.find((entry) => keyTypeOf(entry.key) === keyTypeOf(key));

  const knownFingerprints = plain.map((entry) => fingerprintOfKey(entry.key));
  const judgement = (verdict: HostKeyVerdict, entry?: Entry): HostKeyJudgement => ({
    verdict,
    knownFingerprints,
    name,
    ...(entry && { file: entry.file, line: entry.line }),
  });
  if (revoked) return judgement("revoked", revoked);
  if (match) return judgement("known", match);
  if (plain.length > 0) return judgement("changed", sameType ?? plain[0]);
  if (authority) return judgement("ca-only", authority);
  return judgement("unknown");
}

function isPlain(entry: Entry): boolean {
  return entry.marker === undefined;
}

function entriesFor(files: readonly KnownHostsFile[], name: string): readonly Entry[] {
  const known = found.get(files) ?? new Map<string, readonly Entry[]>();
  found.set(files, known);
  const entries = known.get(name) ?? findEntries(files, name);
  known.set(name, entries);
  return entries;
}

// A host is looked up half a dozen times, and in a fleet each file has a line for every host.
const found = new WeakMap<readonly KnownHostsFile[], Map<string, readonly Entry[]>>();

function findEntries(files: readonly KnownHostsFile[], name: string): Entry[] {
  return files.flatMap((file) =>
    linesOf(file).flatMap(({ names, isOneName, line, ...rest }) => {
      if (isOneName ? names !== name : !matchesNames(names, name)) return [];
      const key = keyOf(rest);
      return key ? [{ marker: rest.marker, key, file: file.path, line }] : [];
    }),
  );
}

/** A line that says something about some host, if its key can be read. */
interface Line {
  readonly marker: Entry["marker"];
  readonly names: string;
  /** No list, no pattern, no hash. */
  readonly isOneName: boolean;
  readonly type: string;
  readonly blob: string;
  readonly line: number;
}

/** Told apart once for all hosts that are looked up in the file. */
function linesOf(file: KnownHostsFile): readonly Line[] {
  const known = lines.get(file) ?? file.text.split("\n").flatMap(parseLine);
  lines.set(file, known);
  return known;
}

const lines = new WeakMap<KnownHostsFile, readonly Line[]>();

const LINE =
  /^[ \t]*(?:@(?<marker>\S+)[ \t]+)?(?<names>[^\s#@]\S*)[ \t]+(?<type>\S+)[ \t]+(?<blob>\S+)/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Nothing for comments, and for lines OpenSSH cannot read. */
function parseLine(text: string, index: number): Line[] {
  const { marker, names, type, blob } = LINE.exec(text)?.groups ?? {};
  if (names === undefined || type === undefined || blob === undefined) return [];
  if (marker !== undefined && marker !== "revoked" && marker !== "cert-authority") return [];
  const isOneName = !/[*?!,|]/.test(names);
  const line = { marker, isOneName, type, blob, line: index + 1 } as const;
  return [{ ...line, names: isOneName ? names.toLowerCase() : names }];
}

function keyOf({ type, blob }: Pick<Line, "type" | "blob">): Buffer | undefined {
  if (!BASE64.test(blob)) return undefined;
  const key = Buffer.from(blob, "base64");
  return isWellFormedKey(key) && keyTypeOf(key) === type ? key : undefined;
}

function matchesNames(names: string, name: string): boolean {
  if (!names.startsWith("|")) return matchesPatternList(names, name);
  const [, version, salt = "", hash] = names.split("|");
  return version === "1" && hashName(name, Buffer.from(salt, "base64")) === hash;
}

function hashName(name: string, salt: Buffer): string {
  return createHmac("sha1", salt).update(name).digest("base64");
}
