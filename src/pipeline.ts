import * as end from "./endings.ts";
import type { Ending } from "./endings.ts";
import { toSyncCredsError } from "./errors.ts";
import { failureOfError, failureOfPass, failureOfRestart, failureOfVerdict } from "./failure.ts";
import type { Failure } from "./failure.ts";
import { install } from "./install/install.ts";
import { commit } from "./install/rollback.ts";
import { look, lookAtSwitches, lookCloser } from "./look.ts";
import { oncePerRun } from "./once-per-run.ts";
import type { HostResult } from "./outcome.ts";
import { planFor } from "./plan/plan-for.ts";
import type { Baseline, Plan } from "./plan/plan.ts";
import { explainRestarted } from "./probe/survey.ts";
import { beating, prove } from "./proof.ts";
import { renderPurpose } from "./purpose.ts";
import type { RestartReport } from "./remote/restart-report.ts";
import { restart } from "./restart/restart.ts";
import { patienceOf, recipeOf } from "./restart/supervisors.ts";
import { renderPlan } from "./result.ts";
import { explain } from "./smoke/verdict.ts";
import type { Verdict } from "./smoke/verdict.ts";
import type { Ready } from "./turns.ts";
import { note, openConnection, orAbort, orAbortWaiting, step } from "./visit.ts";
import type { Connection, Job, Run, Seen, Visit } from "./visit.ts";
import { visitHost } from "./visit-host.ts";
import { finishAnew, goBack, recoverLeftover } from "./way-back.ts";

/** What happens to one host, in order. Never rejects: a host ends proven, as it was, or with the reason why not. */
export function syncHost(job: Job, run: Run): Promise<HostResult> {
  return visitHost(job, run, transact);
}

async function transact(visit: Visit): Promise<Ending> {
  let connection = await openConnection(visit);
  const { ports, waitMs } = visit.run;
  let waitUntil: number | undefined;
  // It counts from the first time that another run is met: before that the host may have waited for its turn.
  const mayWait = () => {
    waitUntil ??= ports.now() + waitMs;
    return ports.now() < waitUntil;
  };
  try {
    for (let attempt = 1; ; attempt++) {
      const { seen, plan } = await lookAndPlan(connection, visit);
      if (visit.run.dryRun) {
        const closer = await lookAtSwitches(connection, visit, seen);
        return renderPlan(plan, visit.host, closer, visit.run.clearShadows);
      }
      if (plan.kind === "refuse" && plan.outcome === "busy" && mayWait()) {
        await waitForOther(visit, plan.error.why);
        attempt--;
        continue;
      }
      if (plan.kind === "refuse") return { ...end.untouched(plan.error), outcome: plan.outcome };
      if (plan.kind === "unchanged") return { outcome: "unchanged" };
      if (plan.kind === "change") {
        await orAbortWaiting(visit, visit.run.turns.change(readyOf(visit, plan, seen)));
        if (connection.isLost()) {
          // It waited for others, and nothing has begun: whatever has happened there meanwhile is seen anew.
          connection = await openConnection(visit);
          continue;
        }
        const ending = await change(connection, placed(visit, seen), plan, seen);
        if (ending.outcome === "busy" && mayWait()) {
          await waitForOther(visit, ending.why);
          attempt--;
          continue;
        }
        if (ending.code !== "FILE_CHANGED" || attempt === MOST_ATTEMPTS) return ending;
      } else if (attempt < MOST_ATTEMPTS) {
        await step(visit, "recover", () => recoverLeftover(connection, visit));
      } else {
        throw end.leftoverStays(plan.who);
      }
    }
  } finally {
    connection.session.close();
  }
}

/** Looks until the plan needs to know no more: some deliveries change a file that only they read. */
async function lookAndPlan(
  connection: Connection,
  visit: Visit,
): Promise<{ seen: Seen; plan: Exclude<Plan, { kind: "look-closer" }> }> {
  const { purpose, force, clearShadows, ports } = visit.run;
  let seen = await look(connection, visit);
  for (;;) {
    const question = { ...visit, ...seen, force, clearShadows, now: ports.now() };
    const plan = step(visit, "plan", () => planFor(purpose, question));
    if (plan.kind !== "look-closer") return { seen, plan };
    seen = await lookCloser(connection, visit, seen, plan.path);
  }
}

// A leftover to recover, then a file that changes under our hands: after that the host is not ours to change.
const MOST_ATTEMPTS = 3;

/** Another run is at work there: it is told who, and looked at again in a moment. */
async function waitForOther(visit: Visit, why: string | undefined): Promise<void> {
  oncePerRun(visit.run.ports, `waiting for another run on ${visit.host.name}`, async () =>
    note(visit, `waiting: ${why ?? "another run is at work"}`),
  ).catch(() => {});
  await orAbortWaiting(visit, visit.run.ports.sleep(1000, visit.signal));
}

function readyOf({ host }: Visit, plan: Change, { report }: Seen): Ready {
  return { host: host.name, plan, place: `${report.boot ?? host.name} ${report.configDir}` };
}

/** From now on the folder is certain: while the wrapper is down, nobody could be asked where it is. */
function placed(visit: Visit, { report: { configDir } }: Seen): Visit {
  return { ...visit, host: { ...visit.host, configDir } };
}

type Change = Extract<Plan, { kind: "change" }>;

/** From the first change on the host to the verdict. */
async function change(
  connection: Connection,
  visit: Visit,
  plan: Change,
  seen: Seen,
): Promise<Ending> {
  const { session, half } = connection;
  const { changes } = plan;
  const { host, id, run } = visit;
  const { purpose } = run;
  if (plan.note !== undefined) note(visit, plan.note);
  // In one flight: the host skips the restart when the install fails.
  const installing = step(visit, "install", () =>
    install(half, {
      run: id,
      who: run.who,
      what: renderPurpose(purpose),
      configDir: seen.report.configDir,
      confirmTimeoutMs: host.confirmTimeoutMs,
      recipe: { ...recipeOf(host), ...plan.recipe },
      changes,
      restartFollows: true,
    }),
  );
  const restarting = restart(half, id, patienceOf(host));
  const installError = await installing.then(() => undefined, toSyncCredsError);
  if (installError !== undefined) {
    const known = end.notInstalled(installError);
    if (known !== undefined) return known;
    session.close();
    return finishAnew(visit, {});
  }

  let decided: Ending | undefined;
  const smoking = new AbortController();
  try {
    step(visit, "restart", () => undefined);
    await orAbort(visit, restarting.listening);
    const asked = step(visit, "smoke", () =>
      beating(half, visit, () => prove(connection, visit, smoking.signal)),
    );
    const restarted = restarting.done.then((report) => verifyRestarted(report, visit));
    const [report, verdict] = await orAbort(visit, Promise.all([restarted, asked]));
    const shadows = explainRestarted(seen.report, report.shadows, {
      host,
      cleared: run.clearShadows,
    });
    const failure =
      verdict.class === "pass"
        ? failureOfPass(shadows.inProcess)
        : failureOfVerdict(verdict, shadows.anywhere);
    const hasToGo = goesBack(verdict, seen.baseline, plan) || run.turns.isAtomic;
    if (failure !== undefined && hasToGo) return await goBack(connection, visit, seen, failure);
    const stays = await beating(half, visit, () =>
      orAbortWaiting(visit, run.turns.stays(host.name)),
    );
    if (!stays) return await goBack(connection, visit, seen, end.othersFailed());
    decided =
      failure === undefined
        ? { outcome: "verified", brings: plan.brings }
        : { ...end.unproven(failure, purpose), brings: plan.brings };
    const committed = await step(visit, "commit", () =>
      commit(half, id, run.ports.now() + seen.aheadMs),
    );
    return committed ? decided : end.undoneByHost(host, purpose);
  } catch (thrown) {
    const error = toSyncCredsError(thrown);
    if (error.code === "CONNECTION_LOST") return finishAnew(visit, { decided });
    const failure = thrown instanceof RestartFailed ? thrown.failure : failureOfError(error);
    return goBack(connection, visit, seen, failure);
  } finally {
    smoking.abort("it is over"); // a reason of our own: without one an error is made, with its stack
  }
}

function goesBack(verdict: Verdict, { passed }: Baseline, { changes }: Change): boolean {
  const { rollBack: rule } = explain(verdict.class, verdict.hint);
  return changes.length > 0 && (rule === "always" || (rule === "if-baseline-passed" && passed));
}

class RestartFailed extends Error {
  readonly failure: Failure;
  constructor(failure: Failure) {
    super(failure.what);
    this.failure = failure;
  }
}

function verifyRestarted(report: RestartReport, { host, run }: Visit): RestartReport {
  const failure = failureOfRestart(report, host, run.purpose);
  if (failure !== undefined) throw new RestartFailed(failure);
  return report;
}
