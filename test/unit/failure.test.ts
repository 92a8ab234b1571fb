import { describe, expect, test } from "vitest";
import { SyncCredsError } from "../../src/errors.ts";
import { failureOfError, failureOfRestart, failureOfVerdict } from "../../src/failure.ts";
import type { ValueClass } from "../../src/remote/shadow-fact.ts";
import { explain } from "../../src/smoke/verdict.ts";
import { hostEntry } from "../support/host-entry.ts";

const OUTRANKS = "ANTHROPIC_API_KEY in the wrapper's environment outranks what is pushed";
const shadows = { why: OUTRANKS, next: ["Remove ANTHROPIC_API_KEY where the wrapper is started"] };

test("an error keeps its code, cause and next steps", () => {
  const error = new SyncCredsError("LOCKED", "busy", { why: "ben", next: ["Wait"] });
  expect(failureOfError(error)).toEqual({
    code: "LOCKED",
    what: "busy",
    why: "ben",
    next: ["Wait"],
  });
});

describe("a verdict", () => {
  test("that blames a key or a login names what was found to outrank the file, with its cure", () => {
    for (const verdictClass of ["external-key-invalid", "token-invalid"] as const) {
      const failure = failureOfVerdict({ class: verdictClass, detail: "Invalid" }, shadows);
      expect(failure).toMatchObject({
        code: verdictClass,
        why: `${OUTRANKS}; the wrapper said: Invalid`,
      });
      expect(failure.next.join("")).toContain("Remove ANTHROPIC_API_KEY");
    }
  });

  test("that blames neither leaves it out", () => {
    const failure = failureOfVerdict({ class: "wrapper-error", detail: "boom" }, shadows);
    expect(failure).toMatchObject({
      why: "the wrapper said: boom",
      next: explain("wrapper-error").next,
    });
  });

  test("without words has no cause to tell", () => {
    expect(failureOfVerdict({ class: "timeout", detail: "" }, undefined).why).toBeUndefined();
  });
});

describe("a restart", () => {
  const report = {
    failure: undefined,
    wrapper: undefined,
    shadows: [],
    seesEnvironment: false,
    log: ["boom"],
  };

  test("that went well is no failure", () => {
    expect(failureOfRestart(report, hostEntry({}))).toBeUndefined();
  });

  test("that failed shows the end of the log and how to try again", () => {
    const failed = { ...report, failure: { reason: "exited", detail: "status 1" } };
    expect(failureOfRestart(failed, hostEntry({}))).toEqual({
      code: "RESTART_FAILED",
      what: "the wrapper did not come up with the new credentials",
      why: "the wrapper ended by itself: status 1",
      next: ["Read the log lines below", "Then `sync-creds push web-1` again"],
      logTail: ["boom"],
    });
  });

  describe("by which a variable was to come", () => {
    const host = hostEntry({ delivery: "api-key", means: "key-variable" });
    const seen = { ...report, seesEnvironment: true };
    const withKey = (value: ValueClass) => ({
      ...seen,
      shadows: [{ name: "ANTHROPIC_API_KEY", place: "process", value } as const],
    });

    test.each([
      ["and did", withKey("api-key"), host],
      ["to a process that shows nothing", report, host],
      ["from a file of the user's, which anything may read", seen, { ...host, envFile: "~/env" }],
    ])("%s is no failure", (_, its, where) => {
      expect(failureOfRestart(its, where)).toBeUndefined();
    });

    test.each([
      ["and did not", seen],
      ["and is empty", withKey("empty")],
    ])("%s is a failure", (_, its) => {
      const failure = failureOfRestart(its, host);
      expect(failure?.what).toBe("the wrapper was started without ANTHROPIC_API_KEY");
      expect(failure?.next.join()).toContain("`envFile`");
    });
  });
});
