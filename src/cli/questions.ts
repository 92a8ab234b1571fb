import { SyncCredsError } from "../errors.ts";
import type { HostsFile } from "../hosts/parse.ts";
import type { Ports } from "../ports.ts";

/** The targets named, or the hosts picked at the terminal. Error: `INPUT_NEEDED` where nobody can be asked. */
export async function namesOrChoice(
  names: readonly string[],
  file: HostsFile,
  { human }: Ports,
): Promise<readonly string[]> {
  if (names.length > 0) return names;
  if (human === undefined) {
    throw new SyncCredsError("INPUT_NEEDED", "no target is named", {
      why: "without a terminal nobody can be asked",
      next: ["Name a host, a group, `tag:NAME`, a pattern or `all`: `sync-creds push prod`"],
    });
  }
  return human.choose(
    "Push to which hosts?",
    file.hosts.map(({ name, ssh, delivery }) => ({
      value: name,
      name: `${name}  ${ssh.user === undefined ? "" : `${ssh.user}@`}${ssh.host}  ${delivery}`,
    })),
  );
}

/**
 * A refresh token is about to get several holders: the person types that it shall. Errors: `INPUT_NEEDED` where nobody
 * can be asked, `INTERRUPTED` when anything else is typed.
 */
export async function verifySharing(holders: readonly string[], { human }: Ports): Promise<void> {
  if (holders.length === 0) return;
  if (human === undefined) {
    throw new SyncCredsError("INPUT_NEEDED", "sharing a refresh token must be confirmed by hand", {
      why: "without a terminal nobody can type it; one of its holders will be logged out",
      next: ["Run the command on a terminal", 'Or use `"delivery": "access-token"`'],
    });
  }
  const answer = await human.text(
    `${holders.join(", ")} and this laptop will log each other out. Type "share" to go on:`,
  );
  if (answer.trim() === "share") return;
  throw new SyncCredsError("INTERRUPTED", "not confirmed: nothing was changed", {
    next: ['Use `"delivery": "access-token"`: it leaves the refresh token on this laptop'],
  });
}

/** Asks whether to go on; `details` say what would change, and why this is asked. Error: `INTERRUPTED` when the answer is no. */
export async function verifyConsent(
  question: string,
  details: readonly string[],
  { human }: Ports,
): Promise<void> {
  if (await human?.confirm(question, details)) return;
  throw new SyncCredsError("INTERRUPTED", "not confirmed: nothing was changed", {
    next: ["Name fewer hosts, or see what would change: add `--dry-run`"],
  });
}
