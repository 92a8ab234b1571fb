import type { SyncCredsError } from "./errors.ts";
import type { Host } from "./hosts/host.ts";
import type { Explained } from "./probe/explain.ts";
import { variableOf } from "./plan/own-files.ts";
import type { Purpose } from "./purpose.ts";
import { explainRestart } from "./remote/restart-report.ts";
import type { RestartReport } from "./remote/restart-report.ts";
import { explain } from "./smoke/verdict.ts";
import type { Verdict } from "./smoke/verdict.ts";

/** Something that speaks against the new credentials: why they go back, or stay unproven. */
export interface Failure {
  readonly code: string;
  readonly what: string;
  readonly why: string | undefined;
  readonly next: readonly string[];
  readonly logTail?: readonly string[];
}

/** An error as a failure. */
export function failureOfError(error: SyncCredsError): Failure {
  return { code: error.code, what: error.message, why: error.why, next: error.next };
}

/**
 * A verdict as a failure. What was found to outrank the file is named: a verdict that blames an external key is
 * not cured by any file.
 */
export function failureOfVerdict(verdict: Verdict, shadows: Explained | undefined): Failure {
  const finding = explain(verdict.class, verdict.hint);
  const shadow =
    finding.blame === "shadow" || finding.blame === "credentials" ? shadows : undefined;
  const said = verdict.detail === "" ? undefined : `the wrapper said: ${verdict.detail}`;
  return {
    code: verdict.class,
    what: finding.meaning,
    why: [shadow?.why, said].filter((part) => part !== undefined).join("; ") || undefined,
    next: shadow === undefined ? finding.next : shadow.next,
  };
}

/** The wrapper has answered, but something in its new process outranks what was pushed: it did not answer by that. */
export function failureOfPass(shadows: Explained | undefined): Failure | undefined {
  if (shadows === undefined) return undefined;
  const what = "the wrapper answers, but not by what was pushed";
  return { code: "SHADOWED", what, why: shadows.why, next: shadows.next };
}

/** A failed restart, or one that did not bring the delivery's variable, as a failure with the end of the wrapper's log. */
export function failureOfRestart(
  report: RestartReport,
  host: Host,
  { kind }: Purpose = { kind: "push" },
): Failure | undefined {
  if (report.failure === undefined) {
    return kind === "push" ? failureToBring(report, host) : undefined;
  }
  const { why, next } = explainRestart(report.failure.reason, report.failure.detail);
  return {
    code: "RESTART_FAILED",
    what:
      kind === "switch"
        ? "the app did not come up with the edited file"
        : "the wrapper did not come up with the new credentials",
    why,
    next: [
      next,
      kind === "push" ? `Then \`sync-creds push ${host.name}\` again` : "Then push again",
    ],
    logTail: report.log,
  };
}

/** Whatever answers then is not what was pushed: an override that compose does not read, a script that unsets it. */
function failureToBring(report: RestartReport, host: Host): Failure | undefined {
  const variable = host.envFile === undefined ? variableOf(host) : undefined;
  if (variable === undefined || !report.seesEnvironment) return undefined;
  const isThere = report.shadows.some(
    ({ name, place, value }) => place === "process" && name === variable && value !== "empty",
  );
  if (isThere) return undefined;
  return {
    code: "RESTART_FAILED",
    what: `the wrapper was started without ${variable}`,
    why: "its supervisor did not read the env file that this push brings, or its start script drops the variable",
    next: [
      "Set `envFile` for it in hosts.json to an env file that its start reads",
      `Then \`sync-creds push ${host.name}\` again`,
    ],
  };
}
