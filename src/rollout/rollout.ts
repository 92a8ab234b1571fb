import { SyncCredsError } from "../errors.ts";
import type { HostResult } from "../outcome.ts";
import { syncHost } from "../pipeline.ts";
import type { Job, Run } from "../visit.ts";
import { Conductor } from "./conductor.ts";
import type { Conduct } from "./conductor.ts";
import type { Ledger } from "./ledger.ts";

/** What is done on one host. Never rejects. */
export type VisitOne = (job: Job, run: Run) => Promise<HostResult>;

/** Goes to every host, as the conduct says; one host's fault never changes another's result, unless they are to stay together. */
export function rollOut(
  jobs: readonly Job[],
  run: Omit<Run, "turns">,
  conduct: Conduct,
  visit: VisitOne = syncHost,
): Promise<HostResult[]> {
  const turns = new Conductor(
    jobs.map(({ host }) => host.name),
    conduct,
  );
  return Promise.all(
    jobs.map(async (job) => {
      const result = await visit(job, { ...run, turns });
      turns.ended(result);
      return result;
    }),
  );
}

/**
 * The hosts that would hold one refresh token after this run, where they would be several. A refresh token has one holder:
 * whoever uses it first makes it worthless for the others.
 */
export function findSharing(jobs: readonly Job[], { entries }: Ledger): string[] {
  const handedOver = jobs.filter(({ offer }) => offer.sentRefreshFingerprint !== undefined);
  const token = handedOver[0]?.offer.sentRefreshFingerprint;
  if (token === undefined) return [];
  const earlier = entries.filter(({ refreshFingerprint }) => refreshFingerprint === token);
  const names = [...handedOver.map(({ host }) => host.name), ...earlier.map(({ host }) => host)];
  const holders = [...new Set(names)];
  return holders.length > 1 ? holders : [];
}

/** Refuses to make a login one of several hosts. Error: `TOKEN_SHARED`. */
export function verifyOneHolder([first, other]: readonly string[]): void {
  if (first === undefined || other === undefined) return;
  throw new SyncCredsError("TOKEN_SHARED", "one login cannot be handed over to two hosts", {
    why: `${first} and ${other} would share a single-use refresh token: the first to renew logs the other out`,
    next: [
      `Set \`"delivery": "access-token"\` for all but one of them in hosts.json`,
      `Or log in anew here (\`claude\`, then \`/login\`) for each host`,
      "If one of them holds it no more: `--share-refresh-token`, on a terminal",
    ],
  });
}
