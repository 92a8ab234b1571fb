import * as end from "./endings.ts";
import type { Ending } from "./endings.ts";
import type { Host } from "./hosts/host.ts";
import { endHolder } from "./install/unlock.ts";
import type { HostResult } from "./outcome.ts";
import { probe } from "./probe/probe.ts";
import { parseHolder, renderHolder } from "./remote/lock-holder.ts";
import { recipeOf } from "./restart/supervisors.ts";
import { openConnection, orAbort, orAbortWaiting, step } from "./visit.ts";
import type { Job, Run, Visit } from "./visit.ts";
import { visitHost } from "./visit-host.ts";

/** Whether the run that holds a host's lock shall be ended; `undefined` where nobody can say. */
export type Consent = (host: Host, holder: string) => Promise<boolean> | undefined;

/** Frees a host's lock by ending the run that holds it, if that is wanted. Never rejects. */
export function visitUnlock(job: Job, run: Run, consent: Consent): Promise<HostResult> {
  return visitHost(job, run, (visit) => unlock(visit, consent));
}

async function unlock(visit: Visit, consent: Consent): Promise<Ending> {
  const { host, id, run } = visit;
  const { session, half } = await openConnection(visit);
  try {
    const { lockedBy, leftover } = await step(visit, "probe", () =>
      orAbort(visit, probe(half, id, host, recipeOf(host))),
    );
    if (lockedBy === undefined) return free(`nobody holds its lock${rest(leftover)}`);
    const holder = renderHolder(lockedBy);
    const answer = consent(host, holder);
    if (answer === undefined) return undecided(holder);
    if (!(await orAbortWaiting(visit, answer))) throw end.interrupted();
    const ending = { run: id, who: run.who, holder: parseHolder(lockedBy).run };
    const hasEnded = await orAbort(visit, endHolder(half, ending));
    return free(
      hasEnded ? `free: the run of ${holder} was ended` : "the run ended by itself meanwhile",
    );
  } finally {
    session.close();
  }
}

function free(state: string): Ending {
  return { outcome: "unchanged", brings: {}, state };
}

function rest(leftover: string | undefined): string {
  return leftover === undefined
    ? ""
    : `; an unfinished change of ${leftover} lies there, which the next push undoes first`;
}

function undecided(holder: string): Ending {
  return {
    outcome: "busy",
    code: "LOCKED",
    what: "its lock is held, and nobody has said that the run shall be ended",
    why: `by ${holder}`,
    next: ["If that run hangs: `sync-creds unlock HOST --yes`"],
    state: "nothing was changed on the host",
  };
}
