import { SyncCredsError } from "../errors.ts";
import type { Candidate } from "../hosts/candidates.ts";
import type { HostEntry } from "../hosts/complaint.ts";
import { findNearest } from "../hosts/did-you-mean.ts";
import type { Human } from "../ports.ts";
import { printable } from "../remote/printable.ts";
import { inputNeeded } from "./hosts-questions.ts";

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
  if (names.length > 0) return [...new Set(names.map((name) => findNamed(all, name)))];
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
