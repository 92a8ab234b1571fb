import { SyncCredsError } from "../errors.ts";
import { sanitize } from "../output/sanitize.ts";
import type { RemoteHalf } from "../remote/remote-half.ts";

/**
 * Ends the run that holds the host's lock, and frees it. False when that run does not hold it any more. A probe must have said
 * where. Error: `LOCKED`, when the host could not end it.
 */
export async function endHolder(
  half: RemoteHalf,
  fields: { readonly run: string; readonly who: string; readonly holder: string },
): Promise<boolean> {
  const { holder: expect, ...rest } = fields;
  const answer = await half.ask({ verb: "unlock", fields: { ...rest, expect } });
  if (answer.get("fail") === undefined) return answer.get("ended") === "now";
  throw new SyncCredsError("LOCKED", "the run that holds the lock cannot be ended", {
    why:
      sanitize(answer.all("detail").join(" "), { maxLength: 300 }) ||
      "its shell was told to end, then killed, and is there still",
    next: ["Look on HOST: `cat ~/.claude/.sync-creds/lock` begins with its process id"],
  });
}
