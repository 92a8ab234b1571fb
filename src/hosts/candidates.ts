import { complaintAbout, complaintAboutName, type HostEntry } from "./complaint.ts";
import type { HostsContent } from "./schema.ts";

/** A host of an ssh_config or an inventory. */
export interface Found {
  readonly name: string;
  readonly entry: HostEntry;
  readonly groups: readonly string[];
  /** Why it cannot be taken over. */
  readonly obstacle?: string;
  /** What of it is not taken over. */
  readonly notes: readonly string[];
}

/** The same, seen against hosts.json. */
export interface Candidate extends Found {
  /** Its name in hosts.json. */
  readonly host: string;
  readonly state: "new" | "present" | "unfit";
  /** Why it is unfit. */
  readonly why?: string;
}

/** Finds for each host the name that it can have in hosts.json, and whether it can be added. */
export function compareWith(content: HostsContent, all: readonly Found[]): Candidate[] {
  const taken = new Map<string, string>();
  return all.map((found) => {
    const host = toUsableName(found.name);
    const rival = taken.get(host);
    const why =
      found.obstacle ??
      (host === "" ? "no name can be made of its own" : undefined) ??
      (rival === undefined ? undefined : `it would have the same name as ${rival}`) ??
      complaintAbout(found.entry);
    if (why !== undefined) return Object.assign({ host, state: "unfit", why } as const, found);
    if (Object.hasOwn(content.hosts, host)) {
      return Object.assign({ host, state: "present" } as const, found);
    }
    const complaint = complaintAboutName(host, content);
    if (complaint !== undefined) {
      return Object.assign({ host, state: "unfit", why: complaint } as const, found);
    }
    taken.set(host, found.name);
    return Object.assign({ host, state: "new" } as const, found);
  });
}

/** A name of hosts.json that is as much like the text as can be; empty when nothing of it is left. */
export function toUsableName(text: string): string {
  return text
    .replace(/[^A-Za-z0-9._-]+/g, "-")
    .replace(/^[^A-Za-z0-9]+/, "")
    .slice(0, 64);
}
