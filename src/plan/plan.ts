import type { SyncCredsError } from "../errors.ts";
import type { Host } from "../hosts/host.ts";
import { octalOf } from "../remote/host-files.ts";
import type { FileChange } from "../remote/file-change.ts";
import type { ProbeReport } from "../remote/probe-report.ts";
import type { Finding } from "../remote/shadow-fact.ts";
import type { Secret } from "../secret.ts";
import { describeHostLogin, mergeCredentials } from "./changes.ts";
import { guardChain } from "./chain-guard.ts";
import { findCures } from "./cures.ts";
import { wantedFiles } from "./delivery-files.ts";
import type { WantedFile } from "./delivery-files.ts";
import { failoverOf, lacksKey, leavesLogin } from "./failover.ts";
import { findHazard } from "./hazards.ts";
import { pathsOf } from "./own-files.ts";
import { renderChange } from "./plan-lines.ts";
import { recipeFor } from "./plan-recipe.ts";
import type { Recipe } from "./plan-recipe.ts";
import * as refusal from "./refusals.ts";
import { findUnsafe } from "./unsafe-files.ts";

/** What shall happen to one host. */
export type Plan =
  | { readonly kind: "unchanged" }
  | { readonly kind: "recover"; readonly who: string }
  /** A file must be read before more can be said. */
  | { readonly kind: "look-closer"; readonly path: string }
  | {
      readonly kind: "change";
      /** Empty when every file is right already and only the wrapper must be restarted. */
      readonly changes: readonly FileChange[];
      /** What the restart does besides, on the way there. */
      readonly recipe: Recipe;
      readonly lines: readonly string[];
      /** What the host will run on, where that is not what the laptop offers. */
      readonly brings?: { readonly fingerprint?: string; readonly validUntil?: number };
      /** What the user should hear of it although nothing went wrong. */
      readonly note?: string;
    }
  | {
      readonly kind: "refuse";
      readonly outcome: "refused" | "conflict" | "busy" | "failed";
      readonly error: SyncCredsError;
    };

/** What this laptop would put on the host. */
export interface Offer {
  /** JSON text of the `claudeAiOauth` block as it may leave; without one the host's file stays as it is. */
  readonly block?: Secret | undefined;
  /** The token or key of a delivery by variable or helper. */
  readonly value?: Secret | undefined;
  /** An API key that shall lie ready beside the login. */
  readonly spare?: Secret | undefined;
  /** Of the token or key; `own-login` brings none. */
  readonly fingerprint?: string | undefined;
  readonly validUntil?: number | undefined;
  /** Fingerprint of the laptop's own refresh token, be it sent or not. */
  readonly localRefreshFingerprint?: string | undefined;
  /** Fingerprint of the refresh token that leaves with the block, when the whole login is handed over. */
  readonly sentRefreshFingerprint?: string | undefined;
}

/** What the request that was sent before any change said about the wrapper and the login it uses. */
export interface Baseline {
  readonly passed: boolean;
  /** The wrapper cannot be asked: its own bearer was refused, or something else answers there. */
  readonly unusable: string | undefined;
  /** The login that the host has now was seen to be dead. */
  readonly loginDead: boolean;
  /** One line for the plan. */
  readonly meaning: string;
}

export interface PlanQuestion {
  readonly host: Host;
  readonly offer: Offer;
  readonly report: ProbeReport;
  readonly baseline: Baseline;
  /** What outranks that which this delivery brings. */
  readonly shadows: readonly Finding[];
  /** Nothing at all outranks the credentials file, not even what an earlier push brought. */
  readonly fileDecides: boolean;
  /** A settings file of Claude Code that cannot be understood. */
  readonly flaw: { readonly path: string; readonly why: string } | undefined;
  /** Fingerprints that this laptop wrote to this host before. */
  readonly lastWritten: readonly string[];
  /** Overwrite a login that is the host's own. */
  readonly force: boolean;
  /** Remove what outranks the delivery, in the same transaction. */
  readonly clearShadows: boolean;
}

/** The decision, and nothing but the decision: same question, same plan. */
export function planHost(question: PlanQuestion): Plan {
  const { host, report, baseline } = question;
  const obstacle = findObstacle(host, report, "login");
  if (obstacle !== undefined) return obstacle;
  if (baseline.unusable !== undefined) {
    return refuse("refused", refusal.unusable(host, baseline.unusable));
  }
  if (host.means === "none" && host.backup === undefined) {
    if (question.shadows.length > 0) return refuse("refused", refusal.ownShadowed(question));
    if (baseline.passed) return { kind: "unchanged" };
    return refuse("failed", refusal.ownLoginFails(host, baseline.meaning));
  }
  if (question.flaw !== undefined) {
    return refuse("refused", refusal.unfitFile(question.flaw.path, question.flaw.why));
  }
  return conflictOf(question) ?? shadowed(question) ?? changeOf(question);
}

/** What comes before any change, whatever it is for: a lock, a hazard, an unfinished change. */
export function findObstacle(
  host: Host,
  report: ProbeReport,
  about: "login" | "other",
): Plan | undefined {
  if (report.lockedBy !== undefined) return refuse("busy", refusal.locked(report.lockedBy));
  const hazard = findHazard(host, report, about);
  if (hazard !== undefined) return refuse("refused", hazard);
  return report.leftover === undefined ? undefined : { kind: "recover", who: report.leftover };
}

/** A plan that changes nothing, and why. */
export function refuse(
  outcome: Extract<Plan, { kind: "refuse" }>["outcome"],
  error: SyncCredsError,
): Plan {
  return { kind: "refuse", outcome, error };
}

function conflictOf(question: PlanQuestion) {
  const { host, offer, report, baseline, lastWritten, force, fileDecides } = question;
  const touchesLogin =
    offer.block !== undefined || (host.means === "oauth-variable" && !leavesLogin(offer));
  if (force || !touchesLogin) return undefined;
  const conflict = guardChain({
    host: describeHostLogin(report.file),
    ours: offer,
    lastWritten,
    knownDead: baseline.loginDead && fileDecides,
    now: report.clock,
  });
  return conflict === undefined ? undefined : refuse("conflict", refusal.ownLogin(host, conflict));
}

function shadowed({ host, shadows, clearShadows, baseline }: PlanQuestion): Plan | undefined {
  if (shadows.length === 0 || host.means === "none") return undefined;
  const { uncurable } = findCures(shadows, host.restart);
  if (clearShadows && uncurable.length === 0) return undefined;
  return refuse("refused", refusal.shadowed(host, shadows, { uncurable, clearShadows, baseline }));
}

function changeOf(question: PlanQuestion): Plan {
  const { host, offer, report, baseline, shadows, lastWritten } = question;
  if (lacksKey(host, offer, report)) return refuse("refused", refusal.noKey(host));
  const cures = findCures(shadows, host.restart);
  const wanted = wantedFiles({ host, offer, report, cures, lastWritten });
  if (wanted.kind === "unread") return { kind: "look-closer", path: wanted.path };
  if (wanted.kind === "unfit") {
    return refuse("refused", refusal.unfitFile(wanted.path, wanted.why));
  }
  const different = wanted.files.filter((file) => !isSo(file, report));
  const unsafe = different.flatMap((file) => findUnsafe(file, report) ?? []);
  if (unsafe[0] !== undefined) return refuse("refused", unsafe[0]);
  const recipe = recipeFor(question, cures, different);
  const isRestartDue = different.length > 0 || cures.without.length > 0 || !baseline.passed;
  if (!isRestartDue) return { kind: "unchanged" };
  if (host.means === "none" && different.length === 0) {
    return refuse("failed", refusal.ownLoginFails(host, baseline.meaning));
  }
  const changes = different.map(({ path, mode, content, asRoot }) => ({
    path,
    mode,
    before: report.files.get(path)?.bytes,
    after: content,
    asRoot,
  }));
  const lines = linesOf({ host, offer, report }, different);
  return { kind: "change", changes, recipe, lines, ...failoverOf(host, offer, report, changes) };
}

/** Whether the host has this file already as it shall be. */
function isSo({ path, mode, content }: WantedFile, { files }: ProbeReport): boolean {
  const seen = files.get(path);
  if (seen === undefined || seen.kind === "absent") return content === undefined;
  if (content === undefined || seen.bytes === undefined) return false;
  return content.equalsBytes(seen.bytes) && octalOf(seen.mode) === mode;
}

function linesOf(
  { host, offer, report }: Pick<PlanQuestion, "host" | "offer" | "report">,
  different: readonly WantedFile[],
): string[] {
  const { credentials } = pathsOf(report.configDir);
  const login = describeHostLogin(report.file);
  const replaced =
    offer.block === undefined ? undefined : mergeCredentials(report.file, offer.block).why;
  const known = { host, offer, login, credentials };
  return [
    ...(different.length === 0 ? [`${credentials}: already ${offer.fingerprint ?? "there"}`] : []),
    ...different.map((file) => renderChange(file, report.files.get(file.path), known)),
    ...(replaced === undefined || different.length === 0
      ? []
      : [`the former file is replaced whole: ${replaced}`]),
  ];
}
