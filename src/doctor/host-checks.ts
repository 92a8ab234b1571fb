import { bad, note, ok, warn } from "../diagnosis.ts";
import type { Check } from "../diagnosis.ts";
import type { Host, Switch } from "../hosts/host.ts";
import { renderSpan } from "../output/time.ts";
import { failoverState } from "../plan/failover.ts";
import { findHazard } from "../plan/hazards.ts";
import { pathsOf } from "../plan/own-files.ts";
import { pathOf, stateOf } from "../plan/plan-switch.ts";
import { octalOf } from "../remote/host-files.ts";
import type { InspectReport } from "../remote/inspect-report.ts";
import { renderHolder, UNLOCK } from "../remote/lock-holder.ts";
import type { ProbeReport } from "../remote/probe-report.ts";

const MINUTE_MS = 60_000;

/** Expiry dates are judged by the host's clock: how far it is from this laptop's (`now`, epoch milliseconds). */
export function checkClock({ clock }: ProbeReport, now: number): Check {
  const offMs = clock - now;
  if (Number.isNaN(offMs)) return note("clock", "the host told no time");
  if (Math.abs(offMs) <= MINUTE_MS) return ok("clock", "in step with this laptop's");
  const span = renderSpan(Math.abs(offMs)).replace(/^in /, "");
  return warn("clock", `${span} ${offMs > 0 ? "ahead of" : "behind"} this laptop's`, {
    evidence: ["Claude Code judges dates by it, and a token may seem over, or alive, that is not"],
    cure: ["Set one of the clocks right: `timedatectl set-ntp true`"],
    exit: 10,
  });
}

/** What would make a push unsafe, or fail: modes, owners, links, room, the supervisor's name. */
export function checkFiles(host: Host, report: ProbeReport, inspection: InspectReport): Check[] {
  const hazard = findHazard(host, report);
  const elsewhere = readsElsewhere(report, inspection);
  if (hazard !== undefined) {
    const { message, why, next, code } = hazard;
    const evidence = why === undefined ? [] : [why];
    const topic = code === "RESTART_FAILED" ? "restart" : "file";
    return [bad(topic, message, { evidence, cure: next, code, exit: 10 }), ...elsewhere];
  }
  const { fileEntry, dirEntry, configDir } = report;
  const mode = octalOf(fileEntry.mode);
  if (fileEntry.kind === "file" && mode !== "600") {
    const path = pathsOf(configDir).credentials;
    return [
      warn("file", `${path} has mode ${mode}: others can read the login`, {
        cure: [`On HOST: \`chmod 600 ${path}\`; a push does so too`],
        code: "TARGET_UNSAFE",
        exit: 10,
      }),
      ...elsewhere,
    ];
  }
  const what =
    fileEntry.kind === "file"
      ? "mode 600, the wrapper's own"
      : `${configDir} is ${dirEntry.kind === "absent" ? "not there yet" : "the wrapper's own"}`;
  return elsewhere.length > 0 ? elsewhere : [ok("file", what)];
}

/** A wrapper with another home reads another file: the usual reason for `Not logged in` after a good push. */
function readsElsewhere(
  report: ProbeReport,
  { wrapperHome, wrapperDir, containers }: InspectReport,
): Check[] {
  if (containers.length > 0) return [];
  const reads = wrapperDir ?? (wrapperHome === undefined ? undefined : `${wrapperHome}/.claude`);
  const isSame =
    reads === undefined || [report.configDir, `${report.home}/.claude`].includes(reads);
  if (isSame || reads === report.configDir) return [];
  return [
    bad("file", `the wrapper reads ${reads}, a push writes ${report.configDir}`, {
      evidence: [
        `${wrapperDir === undefined ? "HOME" : "CLAUDE_CONFIG_DIR"} in its environment says so`,
      ],
      cure: [
        `Set for HOST in hosts.json: \`"configDir": ${JSON.stringify(reads)}\`, or \`runAs\` to the wrapper's account`,
      ],
      code: "TARGET_UNSAFE",
      exit: 10,
    }),
  ];
}

/** What sync-creds itself has left there. */
export function checkChanges(
  { lockedBy, leftover, lastRun }: ProbeReport,
  { backups }: InspectReport,
): Check[] {
  const checks: Check[] = [];
  if (lockedBy !== undefined) {
    const what = `a run is at work there: ${renderHolder(lockedBy)}`;
    const cure = ["Wait for it to end, then look again", UNLOCK];
    checks.push(warn("changes", what, { cure, code: "LOCKED", exit: 13 }));
  } else if (leftover !== undefined) {
    checks.push(
      bad("changes", `an unfinished change of ${leftover} lies there`, {
        cure: ["The next push undoes it first: `sync-creds push HOST`"],
        code: "RECOVERY_FAILED",
        exit: 10,
      }),
    );
  }
  const kept = backups === 1 ? "1 backup" : `${backups} backups`;
  const last =
    lastRun === undefined
      ? "nothing was ever pushed here"
      : `last run ${lastRun.at} by ${lastRun.who}: ${lastRun.ending}`;
  return [
    ...checks,
    lastRun === undefined ? note("changes", last) : ok("changes", `${last}; ${kept}`),
  ];
}

/** Whether the host runs on its backup key, and how each switch stands; their files are among those of the report. */
export function checkFallbacks(host: Host, report: ProbeReport): Check[] {
  const switches = Object.entries(host.switches);
  return [
    ...failoverOf(host, report),
    ...switches.map(([name, edit]) => switchOf(name, edit, report)),
  ];
}

/** Whether Claude Code gets the backup API key now, in place of what the delivery brings. */
export function isFailedOver(host: Host, report: ProbeReport): boolean {
  return failoverState(host, report).length > 0;
}

function failoverOf(host: Host, report: ProbeReport): Check[] {
  const [state] = failoverState(host, report);
  if (state !== undefined) {
    return [
      note("fallback", `${state}; back to the login: \`sync-creds failover ${host.name} --back\``),
    ];
  }
  if (host.backup === undefined) return [];
  return [
    report.files.get(pathsOf(report.configDir).key)?.bytes === undefined
      ? note("fallback", "not failed over; the backup API key is not there yet, a push brings it")
      : ok("fallback", "not failed over; the backup API key lies ready"),
  ];
}

function switchOf(name: string, edit: Switch, report: ProbeReport): Check {
  const state = stateOf(edit, report.files.get(pathOf(edit, report)));
  const what = `switch ${name} (${edit.file}) is ${state}`;
  if (state === "on") return note("fallback", what);
  if (state === "off") return ok("fallback", what);
  return bad("fallback", what, {
    cure: [`Correct \`file\`, \`find\` or \`put\` of \`switches.${name}\` in hosts.json`],
    exit: 10,
  });
}

/** Which Claude Code answers behind the wrapper, and what follows from its version. */
export function checkClaudeVersion({ claudeVersion }: ProbeReport): Check {
  if (claudeVersion === undefined) {
    return note("claude", "no `claude` on this account's PATH; the wrapper may have one elsewhere");
  }
  const what = `Claude Code ${claudeVersion}`;
  if (isBefore(claudeVersion, [2, 1, 81])) {
    return note(
      "claude",
      `${what}: a missing login is \`Invalid API key · Please run /login\` there`,
      [
        "from 2.1.81 on a login without `user:inference` counts as none; before 2.1.117 renewal under `-p` is unreliable",
      ],
    );
  }
  return ok("claude", what, [
    "needs `user:inference` among the scopes, as every version from 2.1.81 on",
  ]);
}

function isBefore(version: string, limit: readonly [number, number, number]): boolean {
  const parts = version.split(/[.+-]/).slice(0, 3).map(Number);
  const at = limit.findIndex((number, index) => (parts[index] ?? 0) !== number);
  return at >= 0 && (parts[at] ?? 0) < (limit[at] ?? 0);
}
