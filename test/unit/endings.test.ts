import { describe, expect, test } from "vitest";
import * as end from "../../src/endings.ts";
import { EXIT_STATUS, SyncCredsError, isErrorCode } from "../../src/errors.ts";
import type { ErrorCode } from "../../src/errors.ts";
import type { Outcome } from "../../src/outcome.ts";
import { renderPlan, resultOf } from "../../src/result.ts";
import type { Baseline, Offer } from "../../src/plan/plan.ts";
import { Secret } from "../../src/secret.ts";
import type { Seen } from "../../src/visit.ts";
import { hostEntry } from "../support/host-entry.ts";
import { probeReport } from "./plan/a-probe-report.ts";

const host = hostEntry({ confirmTimeoutMs: 60_000 });
const offer: Offer = { block: new Secret("{}"), fingerprint: "1a2b3c4d", validUntil: 7 };
const failure = { code: "token-expired", what: "it is dead", why: undefined, next: ["Log in"] };
const back = {
  restored: true,
  changedByOthers: false,
  detail: "",
  restart: { failure: undefined, wrapper: undefined, shadows: [], seesEnvironment: false, log: [] },
};

describe("a host that was never changed", () => {
  const outcomes: Partial<Record<ErrorCode, Outcome>> = {
    LOCKED: "busy",
    FILE_CHANGED: "conflict",
    HOST_LOGIN_CONFLICT: "conflict",
    HOST_UNREACHABLE: "unreachable",
    HOST_KEY_CHANGED: "refused",
    TARGET_UNSAFE: "refused",
    AUTHENTICATION_FAILED: "failed",
    INSTALL_FAILED: "failed",
    BUG: "failed",
  };
  test.each(Object.keys(outcomes).filter((code) => isErrorCode(code)))("with %s", (code) => {
    expect(end.untouched(new SyncCredsError(code, "what", { why: "why" }))).toMatchObject({
      outcome: outcomes[code],
      code,
      state: "nothing was changed on the host",
    });
  });

  test("is never called well, whatever the code", () => {
    for (const code of Object.keys(EXIT_STATUS).filter((name) => isErrorCode(name))) {
      const { outcome } = end.untouched(new SyncCredsError(code, "what"));
      expect(["verified", "unchanged", "planned", "unverified"]).not.toContain(outcome);
    }
  });
});

describe("the way back", () => {
  test("that ended well says what the wrapper does now", () => {
    expect(end.rolledBack(failure, "and answering again")).toMatchObject({
      outcome: "rolled-back",
      code: "token-expired",
      state: "back on its former credentials, and answering again",
    });
  });

  test("that found another's file left it alone", () => {
    const ending = end.rollbackFailed(failure, host, probeReport(), {
      ...back,
      restored: false,
      changedByOthers: true,
    });
    expect(ending.outcome).toBe("conflict");
    expect(ending.state).toContain("it was left alone");
  });

  test("that could not restore tells the person how to", () => {
    const ending = end.rollbackFailed(failure, host, probeReport(), {
      ...back,
      restored: false,
      detail: "disk full",
    });
    expect(ending).toMatchObject({
      outcome: "rollback-failed",
      state: "the former credentials could not be put back: disk full",
    });
    expect(ending.next?.[0]).toBe(
      "On HOST: `sh /home/deploy/.claude/.sync-creds/pending/script undo`",
    );
  });

  test("that restored a wrapper which then fails says both", () => {
    const restart = {
      ...back.restart,
      failure: { reason: "exited", detail: "" },
      log: ["boom"],
    };
    expect(end.rollbackFailed(failure, host, probeReport(), { ...back, restart })).toMatchObject({
      outcome: "rollback-failed",
      state:
        "the former credentials are back, but the wrapper does not answer with them as it did before (exited)",
      logTail: ["boom"],
    });
  });
});

describe("the result", () => {
  test("names the host in every next step", () => {
    const { next } = resultOf(host, offer, end.hostIsSilent(failure, host), 5);
    expect(next).toEqual([
      "When web-1 is reachable again: `sync-creds plan web-1`, then `sync-creds push web-1`",
    ]);
  });

  test.each<[Outcome, boolean]>([
    ["verified", true],
    ["unchanged", true],
    ["unverified", true],
    ["planned", false],
    ["rolled-back", false],
    ["rollback-failed", false],
    ["failed", false],
  ])("of a host that is %s shows our fingerprint: %s", (outcome, isOurs) => {
    const result = resultOf(host, offer, { outcome }, 5);
    expect(result).toEqual({
      host: "web-1",
      outcome,
      next: [],
      durationMs: 5,
      ...(isOurs ? { fingerprint: "1a2b3c4d", validUntil: 7 } : {}),
    });
  });
});

describe("the plan of a dry run", () => {
  const baseline: Baseline = {
    passed: false,
    unusable: undefined,
    loginDead: true,
    meaning: "the login has expired",
  };
  const about = "now: the login has expired";
  const seen = (different: Partial<Seen> = {}): Seen => ({
    report: probeReport(),
    aheadMs: 0,
    backups: [],
    baseline,
    shadows: [],

    unread: [],
    fileDecides: true,
    flaw: undefined,
    doubts: [],
    ...different,
  });

  test("of a change names every step, and what would outrank the file", () => {
    const report = probeReport({
      claudeVersion: "2.1.330",
    });
    const key = { name: "ANTHROPIC_API_KEY", place: "process", value: "api-key" } as const;
    const shadows = [{ name: key.name, value: key.value, sources: [key] }];
    const plan = { kind: "change", changes: [], recipe: {}, lines: ["~/x: a → b"] } as const;
    expect(renderPlan(plan, host, seen({ report, shadows }), false)).toEqual({
      outcome: "planned",
      plan: [
        about,
        "Claude Code on the host: 2.1.330",
        "ANTHROPIC_API_KEY (an API key) in the wrapper's environment outranks what is pushed",
        "~/x: a → b",
        "no restart: the wrapper reads the file at each request",
        "smoke request to http://127.0.0.1:8000",
      ],
    });
  });

  test("of an unchanged host says that there is nothing to do", () => {
    expect(renderPlan({ kind: "unchanged" }, host, seen(), false)).toEqual({
      outcome: "unchanged",
      plan: [about, "nothing to do"],
    });
  });

  test("of a refusal has its outcome and its reason", () => {
    const error = new SyncCredsError("LOCKED", "busy", { why: "ben" });
    const plan = { kind: "refuse", outcome: "busy", error } as const;
    expect(renderPlan(plan, host, seen(), false)).toMatchObject({
      outcome: "busy",
      code: "LOCKED",
      plan: [about],
    });
  });
});
