import { once } from "node:events";
import * as end from "./endings.ts";
import type { Ending } from "./endings.ts";
import { toSyncCredsError } from "./errors.ts";
import { failureOfError, failureOfRestart, failureOfVerdict } from "./failure.ts";
import type { Failure } from "./failure.ts";
import type { Host } from "./hosts/host.ts";
import { install } from "./install/install.ts";
import { commit, recover, rollBack } from "./install/rollback.ts";
import type { HostResult, RunEvent, Step } from "./outcome.ts";
import { planHost } from "./plan/plan.ts";
import type { Baseline, Offer, Plan } from "./plan/plan.ts";
import type { Ports } from "./ports.ts";
import { probe } from "./probe/probe.ts";
import type { ProbeReport } from "./remote/probe-report.ts";
import type { RestartReport } from "./remote/restart-report.ts";
import { RemoteHalf } from "./remote/remote-half.ts";
import type { Session } from "./remote/session.ts";
import { restart } from "./restart/restart.ts";
import { patienceOf, recipeOf } from "./restart/supervisors.ts";
import type { Secret } from "./secret.ts";
import { baseline, pollHealth, smokeTest } from "./smoke/smoke.ts";
import { explain } from "./smoke/verdict.ts";
import type { Verdict } from "./smoke/verdict.ts";

/** One host and what this laptop has for it. */
export interface Job {
  readonly host: Host;
  readonly offer: Offer;
  readonly bearer: Secret | undefined;
  /** Fingerprints that this laptop wrote to this host before. */
  readonly lastWritten: readonly string[];
}

/** What all hosts of a run share. */
export interface Run {
  readonly ports: Ports;
  readonly connect: (host: Host, signal: AbortSignal) => Promise<Session>;
  /** The remote half, as it is sent. */
  readonly script: string;
  /** Who pushes, from where: `ana@laptop`. */
  readonly who: string;
  readonly dryRun: boolean;
  readonly force: boolean;
  /** Aborted by the user's Ctrl-C: no step but the way back begins after it. */
  readonly signal: AbortSignal;
  readonly emit: (event: RunEvent) => void;
}

/** What happens to one host, in order. Never rejects: a host ends proven, as it was, or with the reason why not. */
export async function syncHost(job: Job, run: Run): Promise<HostResult> {
  const startedAt = run.ports.now();
  const deadline = AbortSignal.timeout(job.host.deadlineMs);
  const visit: Visit = {
    ...job,
    run,
    id: run.ports.randomHex(8),
    signal: AbortSignal.any([run.signal, deadline]),
  };
  const ending = await transact(visit).catch((thrown: unknown) =>
    end.untouched(toSyncCredsError(thrown)),
  );
  const result = end.resultOf(job.host, job.offer, ending, run.ports.now() - startedAt);
  run.emit({ type: "host", result, at: run.ports.now() });
  return result;
}

/** One host within one run. */
interface Visit extends Job {
  readonly run: Run;
  /** Names this change on the host: lock, journal and backup carry it. */
  readonly id: string;
  /** Aborted by Ctrl-C or when the host has had its time. */
  readonly signal: AbortSignal;
}

interface Connection {
  readonly session: Session;
  readonly half: RemoteHalf;
}

type Change = Extract<Plan, { kind: "change" }>;

async function transact(visit: Visit): Promise<Ending> {
  const connection = await open(visit);
  try {
    for (let attempt = 1; ; attempt++) {
      const seen = await look(connection, visit);
      const plan = step(visit, "plan", () =>
        planHost({ ...visit, ...seen, force: visit.run.force }),
      );
      if (visit.run.dryRun) return end.renderPlan(plan, visit.host, seen.report, seen.baseline);
      if (plan.kind === "refuse") return { ...end.untouched(plan.error), outcome: plan.outcome };
      if (plan.kind === "unchanged") return { outcome: "unchanged" };
      if (plan.kind === "change") {
        const ending = await change(connection, visit, plan, seen);
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

// A leftover to recover, then a file that changes under our hands: after that the host is not ours to change.
const MOST_ATTEMPTS = 3;

function open(visit: Visit): Promise<Connection> {
  const { host, run, signal } = visit;
  return step(visit, "connect", async () => {
    const session = await orAbort(visit, run.connect(host, signal));
    const nonce = run.ports.randomHex(16);
    return { session, half: new RemoteHalf(session, run.script, nonce, host.runAs) };
  });
}

interface Seen {
  readonly report: ProbeReport;
  readonly baseline: Baseline;
}

/** The host as it is, and what its wrapper answers now: both at once, for they share no state. */
function look({ session, half }: Connection, visit: Visit): Promise<Seen> {
  const { host, bearer, run, id, signal } = visit;
  return step(visit, "probe", async () => {
    const [report, verdict] = await orAbort(
      visit,
      Promise.all([
        probe(half, id, host.configDir, recipeOf(host)),
        baseline(session, host.wrapper, { bearer, ports: run.ports, signal }),
      ]),
    );
    return { report, baseline: baselineOf(verdict) };
  });
}

/** From the first change on the host to the verdict. */
async function change(
  connection: Connection,
  visit: Visit,
  plan: Change,
  seen: Seen,
): Promise<Ending> {
  const { half } = connection;
  const { host, id, run } = visit;
  // In one flight: the host skips the restart when the install fails.
  const installing = step(visit, "install", () =>
    install(half, {
      run: id,
      who: run.who,
      configDir: seen.report.configDir,
      confirmTimeoutMs: host.confirmTimeoutMs,
      recipe: recipeOf(host),
      changes: plan.changes,
    }),
  );
  const restarting = restart(half, id, patienceOf(host));
  const installError = await installing.then(() => undefined, toSyncCredsError);
  if (installError?.code === "CONNECTION_LOST") return finishAfterLoss(visit, plan, undefined);
  if (installError !== undefined) return end.untouched(installError);

  let decided: Ending | undefined;
  const smoking = new AbortController();
  try {
    step(visit, "restart", () => undefined);
    await orAbort(visit, restarting.listening);
    const asked = step(visit, "smoke", () => prove(connection, visit, smoking.signal));
    const restarted = restarting.done.then((report) => verifyRestarted(report, host));
    const [report, verdict] = await orAbort(visit, Promise.all([restarted, asked]));
    // The environment is that of the new process; settings.json was read by the probe.
    const settings = seen.report.shadows.filter(({ place }) => place === "settings.json");
    const failure =
      verdict.class === "pass"
        ? undefined
        : failureOfVerdict(verdict, [...report.shadows, ...settings]);
    if (failure !== undefined && goesBack(verdict, seen.baseline, plan)) {
      return await goBack(connection, visit, plan, seen, failure);
    }
    decided = failure === undefined ? { outcome: "verified" } : end.unproven(failure);
    const committed = await step(visit, "commit", () => commit(half, id));
    return committed ? decided : end.undoneByHost(host);
  } catch (thrown) {
    const error = toSyncCredsError(thrown);
    if (error.code === "CONNECTION_LOST") return finishAfterLoss(visit, plan, decided);
    const failure = thrown instanceof RestartFailed ? thrown.failure : failureOfError(error);
    return goBack(connection, visit, plan, seen, failure);
  } finally {
    smoking.abort();
  }
}

/** The way back: restore, restart, and ask again where the wrapper had answered before. */
function goBack(
  { session, half }: Connection,
  visit: Visit,
  plan: Change,
  seen: Seen,
  failure: Failure,
): Promise<Ending> {
  const { host, bearer, run, id } = visit;
  return step(visit, "rollback", async () => {
    try {
      const back = await rollBack(half, id, patienceOf(host));
      if (!back.restored) return end.rollbackFailed(failure, host, seen.report, back);
      if (!seen.baseline.passed) return end.rolledBack(failure, "which did not work before either");
      if (back.restart.failure !== undefined)
        return end.rollbackFailed(failure, host, seen.report, back);
      const again = await baseline(session, host.wrapper, { bearer, ports: run.ports });
      if (again.class === "pass") return end.rolledBack(failure, "and answering again");
      if (explain(again.class, again.hint).rollBack !== "always") {
        return end.rolledBack(failure, `restarted; asked again: ${again.detail}`);
      }
      return end.rollbackFailed(failure, host, seen.report, back);
    } catch (thrown) {
      if (toSyncCredsError(thrown).code !== "CONNECTION_LOST") throw thrown;
      return finishAfterLoss(visit, plan, undefined, failure);
    }
  });
}

/**
 * The link went after the change had begun. Connects anew and finishes: what was not committed goes back. A host that
 * stays out of reach does the same by itself.
 */
async function finishAfterLoss(
  visit: Visit,
  plan: Change,
  decided: Ending | undefined,
  failure: Failure = LINK_LOST,
): Promise<Ending> {
  const { host, run } = visit;
  const [target] = plan.changes;
  for (const pauseMs of RECONNECT_AFTER_MS) {
    await run.ports.sleep(pauseMs);
    const patient = {
      ...visit,
      id: run.ports.randomHex(8), // the lock that the lost session may have left bears the former name
      signal: AbortSignal.timeout(RECONNECT_PATIENCE_MS),
    };
    const report = await lookAgain(patient).catch(() => undefined);
    if (report === undefined || report.lockedBy !== undefined) continue;
    const isNew =
      target !== undefined && report.file !== undefined && target.after.equalsBytes(report.file);
    if (isNew && report.leftover === undefined) return decided ?? { ...end.unproven(failure) };
    if (report.leftover === undefined) return end.rolledBack(failure, "as it was before the push");
  }
  return end.hostIsSilent(failure, host);

  async function lookAgain(patient: Visit): Promise<ProbeReport> {
    const connection = await open(patient);
    try {
      const ask = () => probe(connection.half, patient.id, host.configDir, recipeOf(host));
      const report = await ask();
      if (report.leftover === undefined || report.lockedBy !== undefined) return report;
      await recoverLeftover(connection, patient);
      return await ask();
    } finally {
      connection.session.close();
    }
  }
}

const RECONNECT_AFTER_MS = [200, 1000, 3000, 6000];
const RECONNECT_PATIENCE_MS = 20_000;
const LINK_LOST = {
  code: "CONNECTION_LOST",
  what: "the connection was lost before the verdict",
  why: "the link or the host's sshd went away while the change was under way",
  next: ["Push again when the link is stable"],
};

async function recoverLeftover({ half }: Connection, { id, run, host }: Visit): Promise<void> {
  const back = await recover(half, { run: id, who: run.who }, patienceOf(host));
  if (!back.restored) throw end.recoveryFailed(back);
}

function baselineOf(verdict: Verdict): Baseline {
  const { meaning } = explain(verdict.class, verdict.hint);
  return {
    passed: verdict.class === "pass",
    unusable:
      verdict.class === "wrapper-auth" || verdict.class === "not-a-wrapper" ? meaning : undefined,
    loginDead: ["not-logged-in", "token-expired", "token-revoked", "token-invalid"].includes(
      verdict.class,
    ),
    meaning: verdict.detail === "" ? meaning : `${meaning} (${verdict.detail})`,
  };
}

/** Health and the question; signs of life for the dead-man switch while the wrapper thinks. */
async function prove(
  { session, half }: Connection,
  visit: Visit,
  over: AbortSignal,
): Promise<Verdict> {
  const { host, bearer, run, signal } = visit;
  const beat = setInterval(
    () => void half.ask({ verb: "alive", fields: { run: visit.id } }).catch(() => {}),
    Math.min(10_000, host.confirmTimeoutMs / 4),
  );
  const { wrapper } = host;
  const means = { bearer, ports: run.ports, signal: AbortSignal.any([signal, over]) };
  try {
    // Side by side: a wrapper that is up at once needs no round trip more than the question takes.
    const [health, verdict] = await Promise.all([
      wrapper.health === undefined
        ? undefined
        : pollHealth(session, wrapper, { ...means, deadlineMs: wrapper.startTimeoutMs }),
      smokeTest(session, wrapper, { ...means, deadlineMs: wrapper.timeoutMs }),
    ]);
    return health === undefined || health.healthy
      ? verdict
      : { class: "not-running", detail: health.detail };
  } finally {
    clearInterval(beat);
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

function verifyRestarted(report: RestartReport, host: Host): RestartReport {
  const failure = failureOfRestart(report, host);
  if (failure !== undefined) throw new RestartFailed(failure);
  return report;
}

/** Announces a step and does it. */
function step<T>({ run, host }: Visit, name: Step, work: () => T): T {
  run.emit({ type: "step", host: host.name, step: name, at: run.ports.now() });
  return work();
}

/** Waits for `work`, but no longer than Ctrl-C or the host's deadline. */
async function orAbort<T>({ run, host, signal }: Visit, work: Promise<T>): Promise<T> {
  work.catch(() => {}); // an abort may come first; the work's own end is then of no interest
  const over = () => (run.signal.aborted ? end.interrupted() : end.outOfTime(host));
  if (signal.aborted) throw over();
  const waiting = new AbortController();
  const aborted = once(signal, "abort", { signal: waiting.signal });
  aborted.catch(() => {}); // ended by `waiting`, when the work came first
  try {
    return await Promise.race([work, aborted.then(() => Promise.reject(over()))]);
  } finally {
    waiting.abort();
  }
}
