import { describe, expect, test } from "vitest";
import { fingerprintOf } from "../../../src/credentials/fingerprint.ts";
import { planHost } from "../../../src/plan/plan.ts";
import type { Baseline, Offer, Plan, PlanQuestion } from "../../../src/plan/plan.ts";
import type { ProbeReport } from "../../../src/remote/probe-report.ts";
import { Secret } from "../../../src/secret.ts";
import { hostEntry } from "../../support/host-entry.ts";
import { PRIVATE_FILE, probeReport } from "./a-probe-report.ts";

const TOKEN = "sk-ant-oat01-CANARYours";
const BLOCK = `{"accessToken":"${TOKEN}","expiresAt":2000,"scopes":["user:inference"]}`;
const PATH = "/home/deploy/.claude/.credentials.json";
const offer: Offer = {
  block: new Secret(BLOCK),
  fingerprint: fingerprintOf(new Secret(TOKEN)),
  validUntil: 2000,
  localRefreshFingerprint: "laptop",
};

const WORKS: Baseline = { passed: true, unusable: undefined, loginDead: false, meaning: "works" };
const FAILS: Baseline = { ...WORKS, passed: false, meaning: "not logged in" };
const DEAD: Baseline = { ...FAILS, loginDead: true };
const UNUSABLE: Baseline = { ...FAILS, unusable: "it refused our bearer" };

/** A host whose file holds this. */
const holding = (content: unknown, mode = "-rw-------"): Partial<ProbeReport> => ({
  fileEntry: { ...PRIVATE_FILE, mode },
  file: Buffer.from(typeof content === "string" ? content : JSON.stringify(content)),
});
const OURS = holding(`{"claudeAiOauth":${BLOCK}}\n`);
const OWN_LOGIN = holding({ claudeAiOauth: { accessToken: "theirs", refreshToken: "theirs too" } });
const own = fingerprintOf(new Secret("theirs"));

function plan(report: Partial<ProbeReport> = {}, different: Partial<PlanQuestion> = {}): Plan {
  return planHost({
    host: hostEntry({}),
    offer,
    report: probeReport(report),
    baseline: FAILS,
    lastWritten: [],
    shadows: [],
    fileDecides: true,
    flaw: undefined,
    force: false,
    clearShadows: false,
    ...different,
  });
}

/** The plan in a few words. */
function tell(decided: Plan): string {
  switch (decided.kind) {
    case "unchanged":
      return "unchanged";
    case "look-closer":
      return `look at ${decided.path}`;
    case "recover":
      return `recover ${decided.who}`;
    case "refuse":
      return `${decided.outcome} ${decided.error.code}`;
    case "change":
      return decided.changes.length === 0 ? "restart only" : "change";
  }
}

describe("the decision", () => {
  test.each<[string, string, Partial<ProbeReport>, Partial<PlanQuestion>]>([
    ["a host without a file", "change", {}, {}],
    ["a host without a file whose wrapper works", "change", {}, { baseline: WORKS }],
    ["our file, and the wrapper works", "unchanged", OURS, { baseline: WORKS }],
    ["our file, and the wrapper fails", "restart only", OURS, { baseline: FAILS }],
    [
      "our file, readable by others",
      "change",
      { ...OURS, fileEntry: { ...PRIVATE_FILE, mode: "-rw-r--r--" } },
      { baseline: WORKS },
    ],
    [
      "our file, with a mark of SELinux on its mode",
      "unchanged",
      { ...OURS, fileEntry: { ...PRIVATE_FILE, mode: "-rw-------." } },
      { baseline: WORKS },
    ],
    [
      "our login beside other keys",
      "unchanged",
      holding(`{"mcpOAuth":{}, "claudeAiOauth" :${BLOCK} }`),
      { baseline: WORKS },
    ],
    ["a damaged file", "change", holding("{"), {}],
    ["a login of the host's own", "conflict HOST_LOGIN_CONFLICT", OWN_LOGIN, { baseline: WORKS }],
    ["such a login, which is not what fails", "conflict HOST_LOGIN_CONFLICT", OWN_LOGIN, {}],
    ["such a login, by force", "change", OWN_LOGIN, { force: true }],
    ["such a login, seen to be dead", "change", OWN_LOGIN, { baseline: DEAD }],
    [
      "such a login, which this laptop wrote",
      "change",
      OWN_LOGIN,
      { lastWritten: [fingerprintOf(new Secret("theirs too"))] },
    ],
    ["an unfinished change", "recover ben@desk", { leftover: "ben@desk" }, {}],
    [
      "an unfinished change that keeps the file under a second name",
      "recover ben@desk",
      { ...OURS, leftover: "ben@desk", fileEntry: { ...PRIVATE_FILE, links: 2 } },
      {},
    ],
    ["a lock", "busy LOCKED", { lockedBy: "a1b2 ben@desk" }, {}],
    ["a hazard", "refused REMOTE_TOOLS", { missing: ["sha256sum"] }, {}],
    ["a wrapper that gives no verdict", "refused WRAPPER_UNUSABLE", {}, { baseline: UNUSABLE }],
  ])("%s: %s", (_, expected, report, different) => {
    expect(tell(plan(report, different))).toBe(expected);
  });

  test.each<[string, string, Partial<ProbeReport>, Partial<PlanQuestion>]>([
    ["a lock, over a hazard", "busy LOCKED", { lockedBy: "x", missing: ["x"] }, {}],
    [
      "a hazard, over an unfinished change",
      "refused REMOTE_TOOLS",
      { missing: ["x"], leftover: "x" },
      {},
    ],
    [
      "an unfinished change, over a wrapper that it may have broken",
      "recover x",
      { leftover: "x" },
      { baseline: UNUSABLE },
    ],
    [
      "a wrapper that gives no verdict, over a conflict",
      "refused WRAPPER_UNUSABLE",
      OWN_LOGIN,
      { baseline: UNUSABLE },
    ],
    ["a lock, even by force", "busy LOCKED", { lockedBy: "x" }, { force: true }],
    ["a hazard, even by force", "refused REMOTE_TOOLS", { missing: ["x"] }, { force: true }],
    [
      "a wrapper that gives no verdict, even by force",
      "refused WRAPPER_UNUSABLE",
      {},
      { force: true, baseline: UNUSABLE },
    ],
  ])("what comes first: %s", (_, expected, report, different) => {
    expect(tell(plan(report, different))).toBe(expected);
  });
});

describe("a change", () => {
  test("is one private file: what the probe saw, and what shall be there", () => {
    const before = Buffer.from('{"mcpOAuth":{"a":1}}');
    const decided = plan({ ...OURS, file: before });
    expect(decided).toMatchObject({ changes: [{ path: PATH, mode: "600", before }] });
    const [change] = decided.kind === "change" ? decided.changes : [];
    expect(JSON.parse(change!.after!.reveal())).toEqual({
      mcpOAuth: { a: 1 },
      claudeAiOauth: JSON.parse(BLOCK),
    });
  });

  test.each<[string, Partial<ProbeReport>, Partial<PlanQuestion>, string[]]>([
    ["no file", {}, {}, [`${PATH}: no file → ${offer.fingerprint}`]],
    ["our file", OURS, {}, [`${PATH}: already ${offer.fingerprint}`]],
    ["another login", OWN_LOGIN, { force: true }, [`${PATH}: ${own} → ${offer.fingerprint}`]],
    ["no login", holding({}), {}, [`${PATH}: no login → ${offer.fingerprint}`]],
    [
      "a blanked login",
      holding({ claudeAiOauth: { accessToken: "", expiresAt: 0 } }),
      {},
      [`${PATH}: a blanked login → ${offer.fingerprint}`],
    ],
    [
      "a damaged file",
      holding("hello"),
      {},
      [
        `${PATH}: no valid file → ${offer.fingerprint}`,
        "the former file is replaced whole: it is not JSON",
      ],
    ],
  ])("is told by fingerprints: %s", (_, report, different, lines) => {
    expect(plan(report, different)).toMatchObject({ kind: "change", lines });
  });

  test("is no exchange of one login for the same, where the token goes into a variable", () => {
    const host = hostEntry({ delivery: "setup-token", means: "oauth-variable" });
    const value = new Secret("sk-ant-oat01-CANARYsetup");
    const decided = plan(OURS, { host, offer: { ...offer, value } });
    const lines = decided.kind === "change" ? decided.lines : [];
    expect(lines[0]).toBe(
      `${PATH}: ${offer.fingerprint} goes, for it could win over the new token`,
    );
  });
});

describe("a refusal says why and what to do", () => {
  test.each<[string, Partial<ProbeReport>, Partial<PlanQuestion>, object]>([
    [
      "a lock names its holder, in words fit for a terminal",
      { lockedBy: "a1b2 ben@desk\u001B[2J" },
      {},
      {
        message: "another push is at work on this host",
        why: "the lock is held by ben@desk (run a1b2)",
        next: [
          "Wait for it to end, then push again",
          "If it hangs, end it: `sync-creds unlock HOST`",
        ],
      },
    ],
    [
      "a conflict offers to leave the host alone first",
      OWN_LOGIN,
      {},
      {
        message: "the host has a login that is not from here",
        why: "the host has a login of its own, with a refresh token that did not come from this laptop; writing ours would destroy it",
        next: [
          'Keep it: leave the host alone, or set `"delivery": "own-login"` for it in hosts.json',
          "Overwrite it (a backup stays on the host): `sync-creds push web-1 --force`",
          'Or hand this laptop\'s login over for good: `"delivery": "full-login"`, with `--force`',
        ],
      },
    ],
    [
      "a wrapper that cannot be asked",
      {},
      { baseline: UNUSABLE },
      {
        message: "no verdict is to be had from this wrapper",
        why: "asked before any change at http://127.0.0.1:8000: it refused our bearer",
        next: ["Correct `wrapper` in hosts.json (url, chat, bearer), then push again"],
      },
    ],
  ])("%s", (_, report, different, error) => {
    expect(plan(report, different)).toMatchObject({ kind: "refuse", error });
  });
});

test("no plan shows a token", () => {
  for (const report of [{}, OURS, OWN_LOGIN, holding("{")]) {
    expect(JSON.stringify(plan(report, { force: true }))).not.toContain("CANARY");
  }
});
