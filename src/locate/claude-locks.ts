import { pathRules } from "../hosts/local-path.ts";
import type { Ports } from "../ports.ts";

const FRESH_MS = 60_000;
const LONGEST_WAIT_MS = 60_000;
const PAUSE_MS = 250;
/** The clock of a network disk may be this far ahead of ours. */
const CLOCK_SLACK_MS = 2_000;

/**
 * Waits while Claude Code renews the login in `directory`, at most a minute, so that the old token is not
 * read just before it is revoked. Its locks are directories that it touches every few seconds; one that
 * was not touched for a minute, or is dated in the future, belongs to nobody (seen in third-party source
 * code, checked there against 2.1.218). They are never removed. Resolves with a note when it waited in
 * vain.
 */
export async function waitForRenewal(directory: string, ports: Ports): Promise<string | undefined> {
  const locks = [pathRules(ports).join(directory, ".oauth_refresh.lock"), `${directory}.lock`];
  for (let waitedMs = 0; waitedMs < LONGEST_WAIT_MS; waitedMs += PAUSE_MS) {
    const held = await Promise.all(locks.map((lock) => isHeld(lock, ports)));
    if (!held.includes(true)) return undefined;
    await ports.sleep(PAUSE_MS);
  }
  return "Claude Code has been renewing this login for over a minute: it was read as it is, and may change at any moment";
}

async function isHeld(lock: string, ports: Ports): Promise<boolean> {
  const touchedAt = await ports.files.modifiedAt(lock);
  if (touchedAt === undefined) return false;
  const ageMs = ports.now() - touchedAt;
  return ageMs < FRESH_MS && ageMs > -CLOCK_SLACK_MS;
}
