import * as fc from "fast-check";
import { expect, test } from "vitest";
import { EXIT_STATUS } from "../../src/errors.ts";
import { exitStatusOf } from "../../src/outcome.ts";
import type { HostResult, Outcome } from "../../src/outcome.ts";

const resultOf = (outcome: Outcome, code?: string): HostResult => ({
  host: "web-1",
  outcome,
  code,
  next: [],
  durationMs: 1,
});

const GOOD: Outcome[] = ["verified", "unchanged", "planned"];
const BAD: Outcome[] = [
  "rolled-back",
  "unverified",
  "rollback-failed",
  "conflict",
  "busy",
  "unreachable",
  "refused",
  "failed",
  "not-attempted",
];

test.each<[Outcome, string | undefined, number]>([
  ["verified", undefined, 0],
  ["unchanged", undefined, 0],
  ["planned", undefined, 0],
  ["rolled-back", "token-expired", 10],
  ["rolled-back", "CONNECTION_LOST", 10],
  ["unverified", "usage-limit", 10],
  ["conflict", "HOST_LOGIN_CONFLICT", 10],
  ["refused", "HOST_KEY_CHANGED", 10],
  ["failed", "INSTALL_FAILED", 10],
  ["failed", "CREDENTIALS_EXPIRED", 10],
  ["busy", "LOCKED", 13],
  ["unreachable", "HOST_UNREACHABLE", 12],
  ["rollback-failed", "RESTART_FAILED", 11],
  ["rollback-failed", "CONNECTION_LOST", 11],
  ["failed", "RECOVERY_FAILED", 11],
  ["failed", "ROLLBACK_FAILED", 11],
  ["failed", "BUG", 1],
  ["failed", "INTERRUPTED", 130],
  ["rolled-back", "INTERRUPTED", 130],
  ["not-attempted", "INTERRUPTED", 130],
  ["not-attempted", undefined, 10],
  ["failed", "toString", 10],
])("a host that is %s (%s) alone ends with %i", (outcome, code, status) => {
  expect(exitStatusOf([resultOf(outcome, code)])).toBe(status);
});

test("no host at all is no failure", () => {
  expect(exitStatusOf([])).toBe(0);
});

test.each<[string, Outcome[], number]>([
  ["a host that needs a person, over everything", ["failed", "rollback-failed", "busy"], 11],
  ["a failure, over a lock and an unreachable host", ["unreachable", "failed", "busy"], 10],
  ["a lock, over an unreachable host", ["unreachable", "busy", "verified"], 13],
  ["an unreachable host, over success", ["verified", "unreachable"], 12],
])("%s", (_, outcomes, status) => {
  expect(exitStatusOf(outcomes.map((outcome) => resultOf(outcome)))).toBe(status);
});

const codes = fc.option(fc.constantFrom(...Object.keys(EXIT_STATUS), "token-expired"), {
  nil: undefined,
});
const anyResult = fc
  .tuple(fc.constantFrom(...GOOD, ...BAD), codes)
  .map(([outcome, code]) => resultOf(outcome, code));

test("it is 0 exactly when every host is well", () => {
  fc.assert(
    fc.property(fc.array(anyResult), (results) => {
      const well = results.every(({ outcome }) => GOOD.includes(outcome));
      expect(exitStatusOf(results) === 0).toBe(well);
    }),
  );
});

test("the worst host decides, wherever it stands", () => {
  const worstFirst = [11, 1, 130, 10, 13, 12, 0];
  fc.assert(
    fc.property(fc.array(anyResult, { minLength: 1 }), (results) => {
      const each = new Set(results.map((result) => exitStatusOf([result])));
      const worst = worstFirst.find((status) => each.has(status));
      expect(exitStatusOf(results)).toBe(worst);
      expect(exitStatusOf(results.toReversed())).toBe(worst);
    }),
  );
});
