import { SyncCredsError } from "../errors.ts";
import { complaintAbout, complaintAboutName, type HostEntry } from "../hosts/complaint.ts";
import { findNearest } from "../hosts/did-you-mean.ts";
import type { HostsContent } from "../hosts/schema.ts";
import type { Human } from "../ports.ts";
import { printable } from "../remote/printable.ts";
import { inputNeeded } from "./hosts-questions.ts";

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

/**
 * Those that are named, all of them, or those a person picks. Errors: `TARGET_UNKNOWN`; `USAGE` when one that is named
 * cannot be added; `INPUT_NEEDED`.
 */
export async function chooseCandidates(
  all: readonly Candidate[],
  names: readonly string[],
  isAll: boolean,
  human: Human | undefined,
): Promise<readonly Candidate[]> {
  if (names.length > 0) return names.map((name) => findNamed(all, name));
  const fresh = all.filter(({ state }) => state === "new");
  if (isAll || fresh.length === 0) return all;
  if (human === undefined) throw inputNeeded("--all", "Or name those you want");
  const picked = await human.choose(
    "Which hosts shall be added to hosts.json?",
    fresh.map(({ host, name, entry }) => ({
      value: host,
      name: printable(
        host === name ? `${host}  ${address(entry)}` : `${host}  ${address(entry)}  (${name})`,
      ),
    })),
  );
  return fresh.filter(({ host }) => picked.includes(host));
}

function findNamed(all: readonly Candidate[], name: string): Candidate {
  const found = all.find((one) => one.name === name) ?? all.find((one) => one.host === name);
  if (found === undefined) {
    const nearest = findNearest(
      name,
      all.map((one) => one.name),
    );
    const shown = all
      .slice(0, 30)
      .map((one) => one.name)
      .join(", ");
    throw new SyncCredsError("TARGET_UNKNOWN", `there is no host ${printable(name)} to import`, {
      why:
        all.length === 0
          ? "there is none at all"
          : "a host is named as it is called there; patterns are no hosts",
      next: [
        ...(nearest === undefined ? [] : [`Did you mean \`${nearest}\`?`]),
        ...(all.length === 0
          ? []
          : [
              printable(
                `Choose from: ${shown}${all.length > 30 ? `, and ${all.length - 30} more` : ""}`,
              ),
            ]),
      ],
    });
  }
  if (found.state !== "unfit") return found;
  throw new SyncCredsError("USAGE", `${printable(name)} cannot be added to hosts.json`, {
    why: printable(found.why ?? ""),
    next: ["Leave it out, or add it by hand: `sync-creds hosts add`"],
  });
}

function address({ ssh }: HostEntry): string {
  return typeof ssh === "string" ? ssh : "";
}
