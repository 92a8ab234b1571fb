import { SyncCredsError } from "../errors.ts";
import type { Host } from "../hosts/host.ts";
import type { FileChange } from "../remote/file-change.ts";
import type { ProbeReport } from "../remote/probe-report.ts";
import { sanitize } from "../output/sanitize.ts";
import type { Secret } from "../secret.ts";
import { describeHostLogin, mergeCredentials } from "./changes.ts";
import { guardChain } from "./chain-guard.ts";
import type { HostLogin } from "./chain-guard.ts";
import { findHazard } from "./hazards.ts";

/** What shall happen to one host. */
export type Plan =
  | { readonly kind: "unchanged" }
  | { readonly kind: "recover"; readonly who: string }
  | {
      readonly kind: "change";
      /** Empty when the file is right already and only the wrapper must be restarted. */
      readonly changes: readonly FileChange[];
      readonly lines: readonly string[];
    }
  | {
      readonly kind: "refuse";
      readonly outcome: "refused" | "conflict" | "busy";
      readonly error: SyncCredsError;
    };

/** What this laptop would put on the host. */
export interface Offer {
  /** JSON text of the `claudeAiOauth` block as it may leave. */
  readonly block: Secret;
  readonly fingerprint: string;
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
  /** Fingerprints that this laptop wrote to this host before. */
  readonly lastWritten: readonly string[];
  /** Overwrite a login that is the host's own. */
  readonly force: boolean;
}

/** The decision, and nothing but the decision: same question, same plan. */
export function planHost(question: PlanQuestion): Plan {
  const { host, offer, report, baseline, force } = question;
  if (report.lockedBy !== undefined) return refuse("busy", locked(report.lockedBy));
  const hazard = findHazard(host, report);
  if (hazard !== undefined) return refuse("refused", hazard);
  if (report.leftover !== undefined) return { kind: "recover", who: report.leftover };
  if (baseline.unusable !== undefined) return refuse("refused", unusable(host, baseline.unusable));

  const login = describeHostLogin(report.file);
  const conflict = guardChain({
    host: login,
    ours: offer,
    lastWritten: question.lastWritten,
    knownDead: baseline.loginDead,
  });
  if (conflict !== undefined && !force) return refuse("conflict", ownLogin(host, conflict));

  const merged = mergeCredentials(report.file, offer.block);
  const path = `${report.configDir}/.credentials.json`;
  const same =
    report.file !== undefined &&
    merged.content.equalsBytes(report.file) &&
    report.fileEntry.mode.startsWith("-rw-------");
  if (same && baseline.passed) return { kind: "unchanged" };
  const changes = same ? [] : [{ path, mode: "600", before: report.file, after: merged.content }];
  const lines = [
    same
      ? `${path}: already ${offer.fingerprint}`
      : `${path}: ${describeBefore(login)} → ${offer.fingerprint}`,
    ...(merged.why === undefined || same
      ? []
      : [`the former file is replaced whole: ${merged.why}`]),
  ];
  return { kind: "change", changes, lines };
}

function refuse(outcome: "refused" | "conflict" | "busy", error: SyncCredsError): Plan {
  return { kind: "refuse", outcome, error };
}

function locked(holder: string): SyncCredsError {
  return new SyncCredsError("LOCKED", "another push is at work on this host", {
    why: `the lock is held by ${sanitize(holder, { maxLength: 100 })}`,
    next: ["Wait for it to end, then push again"],
  });
}

function unusable(host: Host, meaning: string): SyncCredsError {
  return new SyncCredsError("WRAPPER_UNUSABLE", "no verdict is to be had from this wrapper", {
    why: `asked before any change at ${host.wrapper.url}: ${meaning}`,
    next: ["Correct `wrapper` in hosts.json (url, chat, bearer), then push again"],
  });
}

function ownLogin(host: Host, why: string): SyncCredsError {
  return new SyncCredsError("HOST_LOGIN_CONFLICT", "the host has a login that is not from here", {
    why: `${why}; writing ours would destroy it`,
    next: [
      "Leave the host alone if that login is meant to be there",
      `Overwrite it (a backup stays on the host): \`sync-creds push ${host.name} --force\``,
    ],
  });
}

function describeBefore(login: HostLogin): string {
  switch (login.state) {
    case "absent":
      return "no file";
    case "corrupt":
      return "no valid file";
    case "no-login":
      return "no login";
    case "blanked":
      return "a blanked login";
    case "login":
      return login.fingerprint ?? "another login";
  }
}
