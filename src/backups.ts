import { pruneBackups, readBackups } from "./install/backups.ts";
import type { Ending } from "./endings.ts";
import type { HostResult } from "./outcome.ts";
import { summarize } from "./plan/backup-summary.ts";
import { probe } from "./probe/probe.ts";
import { recipeOf } from "./restart/supervisors.ts";
import { openConnection, orAbort, step } from "./visit.ts";
import type { Job, Run, Visit } from "./visit.ts";
import { visitHost } from "./visit-host.ts";

/** Lists what a host keeps; with `keep`, removes all but the newest so many before. Never rejects. */
export function visitBackups(job: Job, run: Run, keep?: number): Promise<HostResult> {
  return visitHost(job, run, (visit) => list(visit, keep));
}

async function list(visit: Visit, keep: number | undefined): Promise<Ending> {
  const { host, id, run } = visit;
  const { session, half } = await openConnection(visit);
  try {
    const { configDir } = await step(visit, "probe", () =>
      orAbort(visit, probe(half, id, host, recipeOf(host))),
    );
    if (keep !== undefined) {
      await orAbort(visit, pruneBackups(half, { run: id, who: run.who, keep }));
    }
    const backups = await orAbort(visit, readBackups(half, id));
    return {
      outcome: "unchanged",
      brings: {},
      backups: backups.map((backup) => summarize(backup, configDir)),
    };
  } finally {
    session.close();
  }
}
