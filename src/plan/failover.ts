import type { Host } from "../hosts/host.ts";
import type { FileChange } from "../remote/file-change.ts";
import type { ProbeReport } from "../remote/probe-report.ts";
import { findInUse } from "./in-use.ts";
import { pathsOf } from "./own-files.ts";
import type { Offer, Plan } from "./plan.ts";

/** A failover and its way back bring nothing: the files of the login stay as they are. */
export function leavesLogin({ block, value, spare }: Offer): boolean {
  return block === undefined && value === undefined && spare === undefined;
}

/** A failover to a key that does not lie there. */
export function lacksKey(
  { means }: Host,
  offer: Offer,
  { files, configDir }: ProbeReport,
): boolean {
  const { key } = pathsOf(configDir);
  return leavesLogin(offer) && means === "key-helper" && files.get(key)?.bytes === undefined;
}

/** What a change has to do with a failover: it is one, it takes one back, or it ends one by the way. */
export function failoverOf(
  host: Host,
  offer: Offer,
  { files, configDir }: ProbeReport,
  changes: readonly FileChange[],
): Pick<Extract<Plan, { kind: "change" }>, "brings" | "note"> {
  const bytesNow = (path: string) => files.get(path)?.bytes;
  if (!leavesLogin(offer)) {
    const now = findInUse(bytesNow, configDir);
    if (now.by !== "helper" || host.means === "key-helper") return {};
    return { note: `this ends the failover to API key ${now.fingerprint ?? "?"}` };
  }
  const after = new Map(changes.map((change) => [change.path, change.after?.revealBytes()]));
  const bytesAfter = (path: string) => (after.has(path) ? after.get(path) : bytesNow(path));
  const { by: _, ...brings } = findInUse(bytesAfter, configDir);
  return { brings };
}

/** One line for the plan: whether the host is failed over now. */
export function failoverState({ means }: Host, { files, configDir }: ProbeReport): string[] {
  const now = findInUse((path) => files.get(path)?.bytes, configDir);
  if (now.by !== "helper" || means === "key-helper") return [];
  return [`failed over to API key ${now.fingerprint ?? "?"}`];
}
