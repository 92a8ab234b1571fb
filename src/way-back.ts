import * as end from "./endings.ts";
import type { Ending } from "./endings.ts";
import type { Failure } from "./failure.ts";
import { recover, rollBack } from "./install/rollback.ts";
import { probe } from "./probe/probe.ts";
import type { ProbeReport } from "./remote/probe-report.ts";
import { patienceOf, recipeOf } from "./restart/supervisors.ts";
import { smokeTest } from "./smoke/smoke.ts";
import { explain } from "./smoke/verdict.ts";
import { openConnection, step } from "./visit.ts";
import type { Connection, Seen, Visit } from "./visit.ts";

/** The way back: restore, restart, and ask again where the wrapper had answered before. */
export function goBack(
  { session, half }: Connection,
  visit: Visit,
  seen: Seen,
  failure: Failure,
): Promise<Ending> {
  const { host, bearer, run, id } = visit;
  const { purpose } = run;
  return step(visit, "rollback", async () => {
    try {
      const back = await rollBack(half, id, patienceOf(host));
      if (!back.restored) return end.rollbackFailed(failure, host, seen.report, back, purpose);
      if (!seen.baseline.passed)
        return end.rolledBack(failure, "which did not work before either", purpose);
      // A restart that failed both times may have left alone what ran before: only the wrapper's answer counts.
      const startMs = back.restart.failure === undefined ? host.wrapper.startTimeoutMs : 0;
      const patience = { deadlineMs: host.wrapper.baselineTimeoutMs, startMs };
      const again = await smokeTest(session, host.wrapper, {
        bearer,
        ports: run.ports,
        ...patience,
      });
      if (again.class === "pass") return end.rolledBack(failure, "and answering again", purpose);
      if (back.restart.failure !== undefined)
        return end.rollbackFailed(failure, host, seen.report, back, purpose);
      if (explain(again.class, again.hint).rollBack !== "always") {
        return end.rolledBack(failure, `restarted; asked again: ${again.detail}`, purpose);
      }
      return end.rollbackFailed(failure, host, seen.report, back, purpose);
    } catch {
      // Whatever broke the conversation, a new one can still finish.
      session.close();
      return finishAnew(visit, { failure });
    }
  });
}

/**
 * The conversation broke off after the change had begun. Connects anew and finishes: what was not committed goes back. A
 * host that stays out of reach does the same by itself. `decided` is the ending that a commit was already sent for.
 */
export async function finishAnew(
  visit: Visit,
  { failure = LINK_LOST, decided }: { failure?: Failure; decided?: Ending | undefined },
): Promise<Ending> {
  const { host, run } = visit;
  for (const pauseMs of RECONNECT_AFTER_MS) {
    await run.ports.sleep(pauseMs);
    const patient = {
      ...visit,
      id: run.ports.randomHex(8), // the lock that the lost session may have left bears the former name
      signal: AbortSignal.timeout(RECONNECT_PATIENCE_MS),
    };
    const report = await lookAgain(patient).catch(() => undefined);
    if (report === undefined || report.lockedBy !== undefined) continue;
    const { lastRun } = report;
    const isNew = lastRun?.run === visit.id && lastRun.ending === "committed";
    if (isNew && report.leftover === undefined)
      return decided ?? end.unproven(failure, run.purpose);
    if (report.leftover === undefined)
      return end.rolledBack(failure, "as it was before", run.purpose);
  }
  return end.hostIsSilent(failure, host, run.purpose);

  async function lookAgain(patient: Visit): Promise<ProbeReport> {
    const connection = await openConnection(patient);
    try {
      const ask = () => probe(connection.half, patient.id, host, recipeOf(host), { lastRun: true });
      const report = await ask();
      if (report.leftover === undefined || report.lockedBy !== undefined) return report;
      await recoverLeftover(connection, patient);
      return await ask();
    } finally {
      connection.session.close();
    }
  }
}

/** Undoes what an earlier run left unfinished. Errors: `LOCKED`, `RECOVERY_FAILED`. */
export async function recoverLeftover(
  { half }: Connection,
  { id, run, host }: Visit,
): Promise<void> {
  const back = await recover(half, { run: id, who: run.who }, patienceOf(host));
  if (!back.restored) throw end.recoveryFailed(back);
}

const RECONNECT_AFTER_MS = [200, 1000, 3000, 6000];
const RECONNECT_PATIENCE_MS = 20_000;
const LINK_LOST = {
  code: "CONNECTION_LOST",
  what: "the connection was lost before the verdict",
  why: "the link or the host's sshd went away while the change was under way",
  next: ["Push again when the link is stable"],
};
