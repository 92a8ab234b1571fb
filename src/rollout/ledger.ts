import { posix, win32 } from "node:path";
import { SyncCredsError } from "../errors.ts";
import type { HostResult } from "../outcome.ts";
import type { Ports } from "../ports.ts";
import { renderPurpose } from "../purpose.ts";
import type { Purpose } from "../purpose.ts";

/** One line of the ledger: which credentials this laptop put on which host, with what outcome. No secrets. */
export interface Entry {
  readonly at: number;
  readonly host: string;
  readonly outcome: string;
  readonly fingerprint: string;
  /** Of the refresh token that went along, when one did. */
  readonly refreshFingerprint?: string;
  /** What brought it there, where that was no push. */
  readonly by?: string;
}

/** What lies on a host since a push, by its fingerprints. */
export interface Written {
  /** Without one nothing was written, and nothing is noted. */
  readonly fingerprint?: string | undefined;
  readonly sentRefreshFingerprint?: string | undefined;
}

/**
 * Reads the ledger; a missing file is an empty one, and lines that are not ours are passed over. Error:
 * `CONFIG_UNREADABLE`, for without it a login could be handed over twice.
 */
export async function readLedger(ports: Ports): Promise<Entry[]> {
  const path = ledgerPath(ports);
  if (!(await ports.files.exists(path))) return [];
  const { bytes } = await ports.files.read(path).catch((thrown: unknown) => {
    throw unreadable(path, thrown);
  });
  return bytes.toString("utf8").split("\n").flatMap(parseLine);
}

/** Notes what now lies on a host. */
export async function recordInLedger(
  ports: Ports,
  written: Written,
  result: HostResult,
  purpose: Purpose = { kind: "push" },
): Promise<void> {
  if (written.fingerprint === undefined) return;
  const entry: Entry = {
    at: ports.now(),
    host: result.host,
    outcome: result.outcome,
    fingerprint: written.fingerprint,
    ...(written.sentRefreshFingerprint === undefined
      ? {}
      : { refreshFingerprint: written.sentRefreshFingerprint }),
    ...(purpose.kind === "push" ? {} : { by: renderPurpose(purpose) }),
  };
  await ports.files.appendLine(ledgerPath(ports), JSON.stringify(entry));
}

/**
 * All fingerprints that this laptop is known to have put on a host. What a rollback brought back came from the host: that
 * may be a login of its own.
 */
export function fingerprintsWrittenTo(host: string, ledger: readonly Entry[]): string[] {
  return ledger
    .filter((entry) => entry.host === host && entry.by === undefined)
    .flatMap(({ fingerprint, refreshFingerprint }) =>
      refreshFingerprint === undefined ? [fingerprint] : [fingerprint, refreshFingerprint],
    );
}

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

function parseLine(line: string): Entry[] {
  try {
    const value: unknown = JSON.parse(line);
    return isEntry(value) ? [value] : [];
  } catch {
    return [];
  }
}

function isEntry(value: unknown): value is Entry {
  if (typeof value !== "object" || value === null) return false;
  return (
    "host" in value &&
    typeof value.host === "string" &&
    "fingerprint" in value &&
    typeof value.fingerprint === "string"
  );
}
