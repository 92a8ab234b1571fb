import { bad } from "../diagnosis.ts";
import type { Check, Examined } from "../diagnosis.ts";
import { EXIT_STATUS, SyncCredsError, toSyncCredsError } from "../errors.ts";
import { startDeadline } from "../once-per-run.ts";
import { pathOf } from "../plan/plan-switch.ts";
import { probe, readFile } from "../probe/probe.ts";
import { surveyShadows } from "../probe/survey.ts";
import type { InspectReport } from "../remote/inspect-report.ts";
import type { ProbeReport } from "../remote/probe-report.ts";
import { recipeOf } from "../restart/supervisors.ts";
import { baseline } from "../smoke/smoke.ts";
import type { Verdict } from "../smoke/verdict.ts";
import { openConnection, orAbort, step } from "../visit.ts";
import type { Connection, Job, Run, Visit } from "../visit.ts";
import { checkClaudeStatus } from "./claude-status.ts";
import {
  checkChanges,
  checkClaudeVersion,
  checkClock,
  checkFallbacks,
  checkFiles,
  isFailedOver,
} from "./host-checks.ts";
import { checkHostLogin, ownEnvFile } from "./host-login.ts";
import { checkHostMethods } from "./host-methods.ts";
import { inspect } from "./inspect.ts";
import type { Curiosity } from "./inspect.ts";
import type { Laptop } from "./laptop.ts";
import { checkRestart, checkWrapper } from "./wrapper-checks.ts";

/** A host to examine. */
export interface Patient extends Job {
  /** Why there is no bearer, where hosts.json names one: the wrapper is not asked then. */
  readonly noBearer: SyncCredsError | undefined;
}

type PatientVisit = Patient & Visit;

/** One host, examined; without `seen` it could not be reached. */
export interface ExaminedHost extends Examined {
  readonly seen: Seen | undefined;
}

/** What a host shows, in one visit. */
export interface Seen {
  readonly report: ProbeReport;
  readonly inspection: InspectReport;
  readonly verdict: Verdict | SyncCredsError;
}

/** Examines one host, and changes nothing there: one question to the wrapper, everything else is looking. Never rejects. */
export async function examineHost(
  job: Patient,
  run: Run,
  laptop: Laptop,
  curiosity: Curiosity,
): Promise<ExaminedHost> {
  const { host } = job;
  using deadline = startDeadline(run.ports, host.deadlineMs);
  const signal = AbortSignal.any([run.signal, deadline.signal]);
  const visit: PatientVisit = { ...job, run, id: run.ports.randomHex(8), signal, deadline };
  try {
    const seen = await see(visit, curiosity);
    return { place: host.name, checks: nameHost(judge(visit, seen, laptop), host.name), seen };
  } catch (thrown) {
    const { message, code, why, next } = toSyncCredsError(thrown);
    const evidence = why === undefined ? [] : why.split("\n");
    const check = bad("connection", message, {
      evidence,
      cure: next,
      code,
      exit: EXIT_STATUS[code],
    });
    return { place: host.name, checks: nameHost([check], host.name), seen: undefined };
  }
}

async function see(visit: PatientVisit, curiosity: Curiosity): Promise<Seen> {
  const connection = await openConnection(visit);
  try {
    return await step(visit, "probe", () => lookAround(connection, visit, curiosity));
  } finally {
    connection.session.close();
  }
}

/** All at once: nothing here waits for anything else, but the wrapper for its answer. */
async function lookAround(
  { session, half }: Connection,
  visit: PatientVisit,
  curiosity: Curiosity,
): Promise<Seen> {
  const { host, bearer, noBearer, run, id, signal } = visit;
  // A slow wrapper is not a sick one: it gets the time of any request.
  const patient = { ...host.wrapper, baselineTimeoutMs: host.wrapper.timeoutMs };
  const means = { bearer, ports: run.ports, signal };
  const asked = noBearer ?? baseline(session, patient, means).catch(toSyncCredsError);
  const [report, inspection, verdict] = await orAbort(
    visit,
    Promise.all([
      probe(half, id, host, recipeOf(host), { lastRun: true }),
      inspect(half, id, curiosity),
      asked,
    ]),
  );
  const envPath = ownEnvFile(host, report);
  const paths = [
    ...(envPath === undefined ? [] : [envPath]),
    ...Object.values(host.switches).map((edit) => pathOf(edit, report)),
  ];
  const found = paths.map(async (path) => [path, await readFile(half, id, path)] as const);
  const files = new Map([...report.files, ...(await orAbort(visit, Promise.all(found)))]);
  return { report: { ...report, files }, inspection, verdict };
}

function judge(visit: Visit, seen: Seen, laptop: Laptop): Check[] {
  const { host, lastWritten, run } = visit;
  const { report, inspection, verdict } = seen;
  const { fingerprint, refreshFingerprint } = laptop;
  const survey = surveyShadows(report, host);
  const isPassed = !(verdict instanceof SyncCredsError) && verdict.class === "pass";
  const isProven = isPassed && survey.fileDecides;
  const known = { fingerprint, refreshFingerprint, lastWritten, isProven };
  const login = checkHostLogin(host, report, known);
  const failedOver = isFailedOver(host, report);
  const background = {
    shadows: survey.shadows,
    isFailedOver: failedOver,
    isLoginAtFault: login.some(({ mark, topic }) => mark === "bad" && topic !== "shared"),
    isSameLogin:
      login.some(({ mark, topic }) => mark === "ok" && topic === "drift") &&
      host.delivery !== "own-login",
  };
  const files = checkFiles(host, report, inspection);
  const isUnknown = files.some(({ topic }) => topic === "restart");
  return [
    ...login,
    ...checkHostMethods(survey, host, failedOver),
    checkWrapper(verdict, host, background),
    checkRestart(host, report, inspection),
    // What hosts.json names wrongly is told once, with what really runs there.
    ...(isUnknown && checkRestart(host, report, inspection).mark === "bad" ? [] : files),
    checkClock(report, run.ports.now()),
    checkClaudeVersion(report),
    ...(inspection.claudeStatus === undefined
      ? []
      : [checkClaudeStatus(inspection.claudeStatus, host.means, survey.shadows.length > 0)]),
    ...checkChanges(report, inspection),
    ...checkFallbacks(host, report),
  ];
}

/** `HOST` in a cure stands for the host's name. */
function nameHost(checks: readonly Check[], name: string): Check[] {
  return checks.map((check) => ({
    ...check,
    cure: check.cure.map((line) => line.replaceAll("HOST", name)),
  }));
}
