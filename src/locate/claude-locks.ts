import { pathRules } from "../hosts/local-path.ts";
import type { Ports } from "../ports.ts";
import { pause } from "./pause.ts";

const FRESH_MS = 60_000;
const LONGEST_WAIT_MS = 60_000;
const PAUSE_MS = 250;
/** A shorter wait is not worth a word. */
const SILENT_MS = 1_000;
/** The clock of a network disk may be this far ahead of ours. */
const CLOCK_SLACK_MS = 2_000;

/** How a wait is ended, and whom it tells. */
export interface Waiting {
  /** Ends it with `INTERRUPTED`. */
  readonly signal?: AbortSignal;
  /** Told at once what the user would otherwise wonder about. */
  readonly tell?: (note: string) => void;
}

/**
 * Waits while Claude Code renews the login in `directory`, at most a minute, so that the old token is not
 * read just before it is revoked. Its locks are directories that it touches every few seconds; one that
 * was not touched for a minute, or is dated in the future, belongs to nobody (seen in third-party source
 * code, checked there against 2.1.218). They are never removed. Resolves with a note when it waited in
 * vain. Error: `INTERRUPTED`.
 */
export async function waitForRenewal(
  directory: string,
  ports: Ports,
  { signal, tell }: Waiting,
): Promise<string | undefined> {
  const locks = [pathRules(ports).join(directory, ".oauth_refresh.lock"), `${directory}.lock`];
  for (let waitedMs = 0; waitedMs < LONGEST_WAIT_MS; waitedMs += PAUSE_MS) {
    const held = await Promise.all(locks.map((lock) => isHeld(lock, ports)));
    if (!held.includes(true)) return undefined;
    if (waitedMs === SILENT_MS) {
      tell?.("Claude Code is renewing this login: waiting for it, at most a minute");
    }
    await pause(PAUSE_MS, ports, signal);
  }
  return "Claude Code has been renewing this login for over a minute: it was read as it is, and may change at any moment";
}

async function isHeld(lock: string, ports: Ports): Promise<boolean> {
  const touchedAt = await touchTime(lock, ports);
  if (touchedAt === undefined) return false;
  const ageMs = ports.now() - touchedAt;
  return ageMs < FRESH_MS && ageMs > -CLOCK_SLACK_MS;
}

async function touchTime(lock: string, { files }: Ports): Promise<number | undefined> {
  try {
    return await files.modifiedAt(lock);
  } catch {
    // What keeps us from the lock will keep us from the file beside it, and is told there.
    return undefined;
  }
}
