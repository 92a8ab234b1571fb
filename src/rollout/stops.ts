import { SyncCredsError } from "../errors.ts";
import type { HostResult } from "../outcome.ts";
import { isTooMany } from "./waves.ts";
import type { Amount, Order } from "./waves.ts";

/** What a run puts up with before it stops. */
export interface Limits {
  /** More failures than this stop the run before its next wave; hosts out of reach are failures. */
  readonly maxFailures?: Amount | undefined;
  /** Hosts out of reach are left out: they stop nothing. */
  readonly skipUnreachable?: boolean;
  /** One failure returns every host. */
  readonly atomic?: boolean;
}

const GOOD = new Set<HostResult["outcome"]>(["verified", "unchanged", "planned"]);

/** Those that have not ended well. */
export function failuresAmong(
  results: Iterable<HostResult>,
  { skipUnreachable = false }: Limits,
): HostResult[] {
  return [...results].filter(
    ({ outcome }) => !GOOD.has(outcome) && !(outcome === "unreachable" && skipUnreachable),
  );
}

/** Why no wave may begin any more; undefined where one may. */
export function reasonToStop(
  failures: readonly HostResult[],
  { canary, waves, maxFailures, atomic = false }: Order & Limits,
  { all, wasChanged }: { readonly all: number; readonly wasChanged: (host: string) => boolean },
): SyncCredsError | undefined {
  const canaryFailure = failures.find(({ host }) => host === canary);
  if (canaryFailure !== undefined) return canaryFailed(canaryFailure);
  const isCareful = canary !== undefined || waves !== undefined || atomic;
  const most = maxFailures ?? (isCareful ? { count: 0 } : undefined);
  // Unless told how many may fail, waves look at what changes have done: one dead host stops nobody.
  const counted = failures.filter(
    ({ host }) => maxFailures !== undefined || atomic || wasChanged(host),
  );
  if (!isTooMany(counted.length, most, all)) return undefined;
  return atomic ? notAll(counted) : tooMany(counted);
}

/** Why what is left is not begun, and what may be done besides mending it. */
function notBegun(reason: string, failed: readonly HostResult[], instead: string): SyncCredsError {
  return new SyncCredsError("STOPPED", `not begun: ${reason}`, {
    why: failed.map(({ host, outcome }) => `${host} ${outcome}`).join(", "),
    next: ["Mend what they say, then `sync-creds push … --resume`", instead],
  });
}

function canaryFailed(failure: HostResult): SyncCredsError {
  return notBegun(
    "the canary did not end well",
    [failure],
    "Or take another one: `--canary`; `--unreachable skip` leaves out one that is out of reach",
  );
}

function tooMany(failed: readonly HostResult[]): SyncCredsError {
  return notBegun(
    "too many hosts had failed before it",
    failed,
    "Or allow for it: `--max-failures`, `--unreachable skip`",
  );
}

/** Where one failure is enough. */
export function notAll(failed: readonly HostResult[]): SyncCredsError {
  return notBegun(
    "with `--atomic` all hosts are changed, or none",
    failed,
    "Or leave out what cannot be mended: `--exclude`, `--unreachable skip`",
  );
}
