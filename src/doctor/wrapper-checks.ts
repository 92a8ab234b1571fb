import { bad, note, ok, warn } from "../diagnosis.ts";
import type { Check } from "../diagnosis.ts";
import { SyncCredsError } from "../errors.ts";
import type { Host } from "../hosts/host.ts";
import type { InspectReport } from "../remote/inspect-report.ts";
import type { ProbeReport } from "../remote/probe-report.ts";
import type { Finding } from "../remote/shadow-fact.ts";
import { agrees, findSupervisor } from "../restart/found-supervisor.ts";
import { renderRestart } from "../restart/supervisors.ts";
import { explain } from "../smoke/verdict.ts";
import type { Verdict } from "../smoke/verdict.ts";

/** What is known besides when the wrapper's answer is explained. */
export interface Background {
  readonly shadows: readonly Finding[];
  /** Claude Code gets the backup API key of `failover`. */
  readonly isFailedOver: boolean;
  /** Its login was found wrong already: then that is cured, and not the wrapper. */
  readonly isLoginAtFault: boolean;
  /** The host has the very token of this laptop. */
  readonly isSameLogin: boolean;
}

/** Does the wrapper answer, and if not, what does it mean? */
export function checkWrapper(
  verdict: Verdict | SyncCredsError,
  host: Host,
  { shadows, isFailedOver, isLoginAtFault, isSameLogin }: Background,
): Check {
  if (verdict instanceof SyncCredsError) {
    const { message, why, next, code } = verdict;
    const evidence = why === undefined ? [] : [why];
    return bad("wrapper", `it could not be asked: ${message}`, {
      evidence,
      cure: next,
      code,
      exit: 10,
    });
  }
  const { meaning, blame, next } = explain(verdict.class, verdict.hint);
  if (verdict.class === "pass") return ok("wrapper", `it answers at ${host.wrapper.url}`);
  const said = verdict.detail === "" ? [] : [`it said: ${verdict.detail}`];
  const code = verdict.class;
  if (blame === "shadow") {
    return bad("wrapper", meaning, {
      evidence: [...said, "no push of a login cures that: what outranks it must go"],
      cure:
        // Each has its cure where it is named.
        shadows.length > 0
          ? []
          : isFailedOver
            ? ["Go back to the login: `sync-creds failover HOST --back`"]
            : ["Find where the wrapper itself sets a key for `claude`, and take it out", ...next],
      code,
      exit: 10,
    });
  }
  if (blame === "credentials" && isLoginAtFault) {
    return bad("wrapper", meaning, { evidence: said, code, exit: 10 });
  }
  if (REJECTED.has(verdict.class) && isSameLogin) {
    return bad("wrapper", meaning, {
      evidence: [
        ...said,
        "the host has the very token that this laptop has: pushing it again changes nothing",
      ],
      cure: ["Log in anew on this laptop: `claude`, then `/login`; then `sync-creds push HOST`"],
      code,
      exit: 10,
    });
  }
  const cure = blame === "credentials" ? ["Push a login: `sync-creds push HOST`", ...next] : next;
  const finding = { evidence: said, cure, code, exit: 10 };
  return verdict.class === "usage-limit"
    ? warn("wrapper", meaning, finding)
    : bad("wrapper", meaning, finding);
}

/** What removes all that outranks a delivery. */
export const CLEAR = "Remove it and push in one go: `sync-creds push HOST --clear-shadows`";

const REJECTED = new Set(["token-expired", "token-revoked", "token-invalid", "not-logged-in"]);

/** Which supervisor really runs the wrapper, against `restart` of hosts.json. */
export function checkRestart(host: Host, report: ProbeReport, inspection: InspectReport): Check {
  const { restart } = host;
  const found = findSupervisor(inspection);
  if (found === undefined) {
    if (report.wrapper === undefined) return note("restart", "no process of the wrapper was found");
    const uid = report.wrapper.uid === undefined ? "" : ` (uid ${report.wrapper.uid})`;
    return note("restart", `${report.user} cannot see the process on the wrapper's port${uid}`, [
      "what runs it cannot be told; set `runAs` to its account in hosts.json",
    ]);
  }
  const { what, evidence } = found;
  if (restart.kind === "none" || restart.kind === "command") {
    return ok("restart", `run by ${what}; hosts.json: ${renderRestart(restart)}`, [evidence]);
  }
  if (agrees(found, restart, { ...inspection, home: report.home }) && !report.foreign) {
    const who = restart.kind === "systemd" ? `the ${restart.scope} unit ${restart.unit}` : what;
    return ok("restart", `run by ${who}, as hosts.json says`, [evidence]);
  }
  return bad("restart", `run by ${what}, but hosts.json would ${renderRestart(restart)}`, {
    evidence: [
      evidence,
      ...(found.restart?.kind === "process"
        ? ["its arguments are not looked at, for they may hold a secret: add them to `command`"]
        : []),
    ],
    cure:
      found.restart === undefined
        ? ["Set `restart` of HOST in hosts.json to a `command` that restarts it"]
        : [`Set for HOST in hosts.json: \`"restart": ${JSON.stringify(found.restart)}\``],
    code: "RESTART_FAILED",
    exit: 10,
  });
}
