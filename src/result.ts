import { untouched } from "./endings.ts";
import type { Ending } from "./endings.ts";
import type { Host } from "./hosts/host.ts";
import type { HostResult } from "./outcome.ts";
import { failoverState } from "./plan/failover.ts";
import type { Offer, Plan } from "./plan/plan.ts";
import { pathOf, stateOf } from "./plan/plan-switch.ts";
import { placeOf } from "./probe/explain.ts";
import { explainAll } from "./probe/survey.ts";
import type { Seen } from "./visit.ts";
import type { Purpose } from "./purpose.ts";
import { renderRestart } from "./restart/supervisors.ts";

/** The ending of a dry run: what would change, by fingerprint, never a secret. */
export function renderPlan(
  plan: Exclude<Plan, { kind: "look-closer" }>,
  host: Host,
  seen: Seen,
  clearShadows: boolean,
): Ending {
  const { report, baseline } = seen;
  const shadows = explainAll(seen, host);
  const goes = plan.kind === "change" && clearShadows ? ", and will be removed" : "";
  const about = [
    `now: ${baseline.meaning}`,
    ...(report.claudeVersion === undefined
      ? []
      : [`Claude Code on the host: ${report.claudeVersion}`]),
    ...(shadows === undefined ? [] : [`${shadows.why}${goes}`]),
    ...seen.doubts.map(
      ({ path, why }) => `${path}: ${why}; only the answer will tell what it does`,
    ),
    ...failoverState(host, report),
    ...Object.entries(host.switches).map(
      ([name, edit]) => `switch ${name}: ${stateOf(edit, report.files.get(pathOf(edit, report)))}`,
    ),
    ...seen.unread.map((fact) => `${fact.name} in ${placeOf(fact)} is not read by services`),
  ];
  switch (plan.kind) {
    case "refuse":
      return { ...untouched(plan.error), outcome: plan.outcome, plan: about };
    case "unchanged":
      return { outcome: "unchanged", plan: [...about, "nothing to do"] };
    case "recover":
      return {
        outcome: "planned",
        plan: [
          ...about,
          `first: undo the unfinished change of ${plan.who}`,
          "then: install, restart, smoke",
        ],
      };
    case "change":
      return {
        outcome: "planned",
        plan: [
          ...about,
          ...plan.lines,
          ...(plan.note === undefined ? [] : [plan.note]),
          renderRestart(host.restart),
          `${host.wrapper.chat === undefined ? "a look at the health of" : "smoke request to"} ${host.wrapper.url}`,
        ],
      };
  }
}

/** The result that the table and `--json` show. */
export function resultOf(
  host: Host,
  offer: Offer,
  ending: Ending,
  durationMs: number,
  purpose: Purpose = { kind: "push" },
): HostResult {
  const again = purpose.kind === "push" ? "push again" : "run this again";
  const { outcome, next = [], brings: { fingerprint, validUntil } = offer, ...told } = ending;
  const isHandedOver = purpose.kind === "push" && offer.sentRefreshFingerprint !== undefined;
  const steps = outcome === "verified" && isHandedOver ? [...next, LOG_IN_ANEW] : next;
  const isOurs = outcome === "verified" || outcome === "unchanged" || outcome === "unverified";
  return {
    host: host.name,
    outcome,
    ...told,
    ...(isOurs && fingerprint !== undefined ? { fingerprint } : {}),
    ...(isOurs && validUntil !== undefined ? { validUntil } : {}),
    next: steps.map((line) => line.replaceAll("HOST", host.name).replace(/\bpush again\b/, again)),
    durationMs,
  };
}

// One refresh token with two holders: the first to renew it logs the other out.
const LOG_IN_ANEW =
  "Log in anew on this laptop (`claude`, then `/login`): this login is the host's now";
