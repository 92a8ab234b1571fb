import { SyncCredsError } from "../errors.ts";
import type { Amount } from "../hosts/build.ts";

export type { Amount };

/** Unless told, as many as others take; what a run is to do to few hosts first is a matter of canary and waves. */
export const HOSTS_AT_A_TIME = 32;

/** How a run goes from few hosts to all. */
export interface Order {
  /** Goes first and alone. */
  readonly canary?: string | undefined;
  /** How many hosts each wave has; the last amount repeats until all are done. */
  readonly waves?: readonly Amount[] | undefined;
}

/**
 * Hosts in the order of their waves. Amounts are sizes, not sums: `1,25%,100%` is one host, then a quarter of all, then
 * whoever is left. Without a word about it there is one wave.
 */
export function planWaves(hosts: readonly string[], { canary, waves }: Order): string[][] {
  const first = hosts.filter((host) => host === canary);
  const rest = hosts.filter((host) => host !== canary);
  const planned: string[][] = first.length === 0 ? [] : [first];
  const amounts = waves ?? [{ percent: 100 }];
  for (let at = 0, taken = 0; taken < rest.length; at++) {
    const size = sizeOf(amounts[Math.min(at, amounts.length - 1)], hosts.length);
    planned.push(rest.slice(taken, taken + size));
    taken += size;
  }
  return planned;
}

/** Whether more hosts have failed than may. A share is one of all hosts of the run. */
export function isTooMany(failed: number, most: Amount | undefined, all: number): boolean {
  if (most === undefined) return false;
  return failed > ("count" in most ? most.count : (most.percent / 100) * all);
}

/** Reads `5` or `25%`; undefined for anything else. */
export function parseAmount(text: string): Amount | undefined {
  const [, digits = "", percent] = /^(\d{1,4})(%?)$/.exec(text.trim()) ?? [];
  if (digits === "") return undefined;
  const number = Number(digits);
  if (percent !== "%") return { count: number };
  return number > 100 ? undefined : { percent: number };
}

/** Reads `1,25%,100%`. Error: `USAGE`. */
export function parseWaves(text: string): Amount[] {
  return text.split(",").map((part) => {
    const amount = parseAmount(part);
    if (amount !== undefined && ("count" in amount ? amount.count : amount.percent) > 0) {
      return amount;
    }
    throw new SyncCredsError("USAGE", `\`${part.trim()}\` is no size of a wave`, {
      why: "a wave is a number of hosts or a share of all of them, and never nothing",
      next: ["Say it as in `--waves 1,25%,100%`"],
    });
  });
}

/** At least one host, or a run would never end. */
function sizeOf(amount: Amount | undefined, all: number): number {
  if (amount === undefined) return all;
  return Math.max(1, "count" in amount ? amount.count : Math.ceil((amount.percent / 100) * all));
}
