import { SyncCredsError } from "../errors.ts";
import { sanitize } from "../output/sanitize.ts";
import { parseBackups } from "../remote/backups.ts";
import type { Backup } from "../remote/backups.ts";
import { renderHolder } from "../remote/lock-holder.ts";
import { printable } from "../remote/printable.ts";
import type { RemoteHalf } from "../remote/remote-half.ts";

/** The changes that the host keeps, newest first. A probe must have said where. */
export async function readBackups(half: RemoteHalf, run: string): Promise<Backup[]> {
  return parseBackups(await half.ask({ verb: "backups", fields: { run } }));
}

/** Removes all but the newest `keep`; the names of those that went. Errors: `LOCKED`, `INSTALL_FAILED`. */
export async function pruneBackups(
  half: RemoteHalf,
  fields: { readonly run: string; readonly who: string; readonly keep: number },
): Promise<string[]> {
  const answer = await half.ask({ verb: "prune", fields });
  const reason = answer.get("fail");
  if (reason === undefined) return answer.all("pruned").map(printable);
  if (reason === "busy") {
    throw new SyncCredsError("LOCKED", "another run is at work on this host", {
      why: `the lock is held by ${renderHolder(answer.get("holder"))}`,
      next: ["Wait for it to end, then run this again"],
    });
  }
  const detail = sanitize(answer.all("detail").join(" "), { maxLength: 300 });
  throw new SyncCredsError("INSTALL_FAILED", "the backups on the host cannot be changed", {
    why: detail === "" ? reason : detail,
    next: ["Look at `.sync-creds/backups` in Claude's directory on HOST"],
  });
}
