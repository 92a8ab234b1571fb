import type { Host } from "./hosts/host.ts";
import { readBackups } from "./install/backups.ts";
import type { Baseline } from "./plan/plan.ts";
import { pathOf } from "./plan/plan-switch.ts";
import { probe, readFile } from "./probe/probe.ts";
import { surveyShadows } from "./probe/survey.ts";
import type { RemoteHalf } from "./remote/remote-half.ts";
import { recipeOf } from "./restart/supervisors.ts";
import { baseline } from "./smoke/smoke.ts";
import { explain } from "./smoke/verdict.ts";
import type { Verdict } from "./smoke/verdict.ts";
import { note, orAbort, step } from "./visit.ts";
import type { Connection, Seen, Visit } from "./visit.ts";

/** The host as it is, and what its wrapper answers now: both at once, for they share no state. */
export function look({ session, half }: Connection, visit: Visit): Promise<Seen> {
  const { host, bearer, run, id, signal } = visit;
  return step(visit, "probe", async () => {
    const places = await orAbort(visit, whereToLook(half, visit));
    const probing = probe(half, id, places, recipeOf(host));
    const means = { bearer, ports: run.ports, signal, keepUntil: probing };
    const [report, backups, verdict] = await orAbort(
      visit,
      Promise.all([
        probing,
        run.purpose.kind === "restore" ? readBackups(half, id) : [],
        baseline(session, host.wrapper, means),
      ]),
    );
    const aheadMs = report.clock - run.ports.now();
    warnOfClock(visit, aheadMs);
    return {
      report,
      aheadMs,
      backups,
      baseline: baselineOf(verdict),
      ...surveyShadows(report, host, visit.lastWritten),
    };
  });
}

/** The app of a switch cannot tell where Claude's directory is, and with it lock and journal: the wrapper can. */
async function whereToLook(half: RemoteHalf, { host, home, id }: Visit): Promise<Host> {
  if (home === undefined || host.configDir !== undefined) return host;
  const { configDir } = await probe(half, id, home, recipeOf(home));
  return { ...host, configDir };
}

/** The same host with one more file of it read. */
export async function lookCloser(
  { half }: Connection,
  visit: Visit,
  seen: Seen,
  path: string,
): Promise<Seen> {
  const found = await orAbort(visit, readFile(half, visit.id, path));
  const report = { ...seen.report, files: new Map([...seen.report.files, [path, found]]) };
  return { ...seen, report };
}

/** The same host with the files of its switches read, all in one flight. */
export async function lookAtSwitches(
  { half }: Connection,
  visit: Visit,
  { report, ...seen }: Seen,
): Promise<Seen> {
  const paths = new Set(Object.values(visit.host.switches).map((edit) => pathOf(edit, report)));
  const unseen = [...paths].filter((path) => !report.files.has(path));
  const found = unseen.map(async (path) => [path, await readFile(half, visit.id, path)] as const);
  const files = new Map([...report.files, ...(await orAbort(visit, Promise.all(found)))]);
  return { ...seen, report: { ...report, files } };
}

/** Expiry dates are compared with the host's clock too: one that is off makes Claude Code misjudge them. */
function warnOfClock(visit: Visit, aheadMs: number): void {
  if (Math.abs(aheadMs) <= CLOCK_TOLERANCE_MS || Number.isNaN(aheadMs)) return;
  const minutes = Math.max(1, Math.round(Math.abs(aheadMs) / 60_000));
  note(visit, `its clock is ${minutes} min ${aheadMs > 0 ? "ahead of" : "behind"} this laptop's`);
}

const CLOCK_TOLERANCE_MS = 60_000;

function baselineOf(verdict: Verdict): Baseline {
  const { meaning } = explain(verdict.class, verdict.hint);
  return {
    passed: verdict.class === "pass" || verdict.class === "healthy",
    unusable:
      verdict.class === "wrapper-auth" || verdict.class === "not-a-wrapper" ? meaning : undefined,
    loginDead: ["not-logged-in", "token-expired", "token-revoked", "token-invalid"].includes(
      verdict.class,
    ),
    meaning:
      verdict.detail === "" || verdict.class === "pass"
        ? meaning
        : `${meaning} (${verdict.detail})`,
  };
}
