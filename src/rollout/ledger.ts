import { posix, win32 } from "node:path";
import { isObject } from "../credentials/json-text.ts";
import { SyncCredsError } from "../errors.ts";
import type { HostResult } from "../outcome.ts";
import type { Ports } from "../ports.ts";

/** One line of the ledger: how one host ended in one run of this laptop. No secrets. */
export interface Entry {
  /** Epoch milliseconds. */
  readonly at: number;
  /** Names the run: all hosts of one command have the same. */
  readonly run?: string;
  /** Who ran it, from where: `ana@laptop`. */
  readonly who?: string;
  readonly host: string;
  readonly outcome: string;
  /** Of what the host was left with, where the run has put it there or found it so. */
  readonly fingerprint?: string;
  /** Of the refresh token that went along, when one did. */
  readonly refreshFingerprint?: string;
  /** What the run was for, where that was no push. */
  readonly by?: string;
  /** The error's code or the verdict's class. */
  readonly code?: string;
}

/** The ledger of this laptop. */
export interface Ledger {
  /** In the order they were written. */
  readonly entries: readonly Entry[];
  /** Numbers of the lines that cannot be read, counted from 1: a crash or an editor has damaged them. */
  readonly damaged: readonly number[];
}

/** What a line says besides the host's result. */
export interface Circumstances {
  readonly run: string;
  readonly who: string;
  /** Of the refresh token that the offer takes along. */
  readonly sentRefreshFingerprint?: string | undefined;
  readonly by?: string | undefined;
}

/**
 * Reads the ledger; a missing file is an empty one, and damaged lines are told, not fatal. Error:
 * `CONFIG_UNREADABLE`, for without it a login could be handed over twice.
 */
export async function readLedger(ports: Ports): Promise<Ledger> {
  const path = ledgerPath(ports);
  if (!(await ports.files.exists(path))) return { entries: [], damaged: [] };
  const { bytes } = await ports.files.read(path).catch((thrown: unknown) => {
    throw unreadable(path, thrown);
  });
  const entries: Entry[] = [];
  const damaged: number[] = [];
  for (const [index, line] of bytes.toString("utf8").split("\n").entries()) {
    if (line.trim() === "") continue;
    const entry = parseLine(line);
    if (entry === undefined) damaged.push(index + 1);
    else entries.push(entry);
  }
  return { entries, damaged };
}

/** Notes how a host has ended: one line, written as soon as it is known. */
export async function recordInLedger(
  ports: Ports,
  { host, outcome, fingerprint, code }: HostResult,
  { run, who, sentRefreshFingerprint, by }: Circumstances,
): Promise<void> {
  const isWritten = WRITTEN.has(outcome) && fingerprint !== undefined;
  const entry: Entry = {
    at: ports.now(),
    run,
    who,
    host,
    outcome,
    ...(fingerprint === undefined ? {} : { fingerprint }),
    ...(isWritten && sentRefreshFingerprint !== undefined
      ? { refreshFingerprint: sentRefreshFingerprint }
      : {}),
    ...(by === undefined ? {} : { by }),
    ...(code === undefined ? {} : { code }),
  };
  await ports.files.appendLine(ledgerPath(ports), JSON.stringify(entry));
}

/**
 * All fingerprints that this laptop is known to have put on a host. What a rollback brought back came from the host: that
 * may be a login of its own.
 */
export function fingerprintsWrittenTo(host: string, { entries }: Ledger): string[] {
  return entries
    .filter((entry) => entry.host === host && entry.by === undefined && WRITTEN.has(entry.outcome))
    .flatMap(({ fingerprint, refreshFingerprint }) =>
      [fingerprint, refreshFingerprint].filter((found) => found !== undefined),
    );
}

/** When a host was last seen to run on this fingerprint, if nothing else has happened to it since; epoch milliseconds. */
export function verifiedAt(
  host: string,
  fingerprint: string,
  { entries }: Ledger,
): number | undefined {
  const last = entries.findLast((entry) => entry.host === host);
  const isVerified = last?.outcome === "verified" || last?.outcome === "unchanged";
  return isVerified && last.fingerprint === fingerprint ? last.at : undefined;
}

/** Outcomes that leave on the host what the run has written. */
const WRITTEN = new Set<string>(["verified", "unverified"]);

function ledgerPath({ platform, env, home }: Ports): string {
  if (platform === "win32") {
    return win32.join(
      env["LOCALAPPDATA"] || win32.join(home, "AppData", "Local"),
      "sync-creds",
      "ledger.jsonl",
    );
  }
  return posix.join(
    env["XDG_STATE_HOME"] || posix.join(home, ".local", "state"),
    "sync-creds",
    "ledger.jsonl",
  );
}

function unreadable(path: string, thrown: unknown): SyncCredsError {
  const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "unknown";
  return new SyncCredsError("CONFIG_UNREADABLE", "the ledger of this laptop cannot be read", {
    why: `reading ${path} ended with ${code}; it says which hosts were given which login`,
    next: [`Look at it: \`ls -l ${path}\`; make it readable, or move it away`],
    cause: thrown,
  });
}

function parseLine(line: string): Entry | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isEntry(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isEntry(value: unknown): value is Entry {
  if (!isObject(value)) return false;
  const isText = (key: string) => !(key in value) || typeof value[key] === "string";
  return (
    "host" in value &&
    "outcome" in value &&
    "at" in value &&
    typeof value["at"] === "number" &&
    ["host", "outcome", "fingerprint", "refreshFingerprint", "by", "run", "who", "code"].every(
      isText,
    )
  );
}
