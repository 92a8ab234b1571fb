import { describe, expect, test } from "vitest";
import { fingerprintOf } from "../../../src/credentials/fingerprint.ts";
import type { Host } from "../../../src/hosts/host.ts";
import { failoverState } from "../../../src/plan/failover.ts";
import { HELPER } from "../../../src/plan/own-files.ts";
import { planHost } from "../../../src/plan/plan.ts";
import type { Baseline, Offer, PlanQuestion } from "../../../src/plan/plan.ts";
import { Secret } from "../../../src/secret.ts";
import { hostEntry } from "../../support/host-entry.ts";
import { PRIVATE_FILE, probeReport } from "./a-probe-report.ts";

const DIR = "/home/deploy/.claude";
const OURS = `${DIR}/.sync-creds`;
const KEY = "sk-ant-api03-CANARY-0001";
const keyPrint = fingerprintOf(new Secret(KEY));
const LOGIN = `{"claudeAiOauth":{"accessToken":"CANARY-a","expiresAt":7}}`;
const loginPrint = fingerprintOf(new Secret("CANARY-a"));
const HELPED = `{"apiKeyHelper":"'${OURS}/api-key.sh'"}`;
const WORKS: Baseline = { passed: true, unusable: undefined, loginDead: false, meaning: "works" };
const DEAD: Baseline = { ...WORKS, passed: false, loginDead: true };

const seen = (text: string, mode = "-rw-------") => ({
  ...PRIVATE_FILE,
  mode,
  bytes: Buffer.from(text),
});
const READY = { [`${OURS}/api-key`]: seen(`${KEY}\n`) };
const OVER = {
  ...READY,
  [`${OURS}/api-key.sh`]: seen(HELPER, "-rwx------"),
  [`${DIR}/settings.json`]: seen(HELPED),
};
const TOKEN = { [`${OURS}/wrapper.env`]: seen("CLAUDE_CODE_OAUTH_TOKEN=CANARY-t\n") };

const hybrid: Partial<Host> = { backup: "api-key" };
const over: Partial<Host> = { ...hybrid, means: "key-helper" };
const byVariable: Partial<Host> = { ...hybrid, delivery: "setup-token", means: "oauth-variable" };
const own: Partial<Host> = { ...hybrid, delivery: "own-login", means: "none" };

function plan(
  host: Partial<Host>,
  files: Record<string, object>,
  baseline: Baseline,
  offer: Offer = {},
) {
  const question: PlanQuestion = {
    host: hostEntry(host),
    offer,
    report: probeReport({
      fileEntry: PRIVATE_FILE,
      file: Buffer.from(LOGIN),
      files: new Map(Object.entries(files)) as never,
    }),
    baseline,
    lastWritten: [],
    shadows: [],
    flaw: undefined,
    fileDecides: false,
    force: false,
    clearShadows: false,
  };
  return planHost(question);
}

/** What changes, by the names of the files. */
function tell(decided: ReturnType<typeof plan>): string {
  if (decided.kind === "refuse") return `${decided.outcome} ${decided.error.code}`;
  if (decided.kind !== "change") return decided.kind;
  const names = decided.changes.map(
    ({ path, after }) => `${after === undefined ? "-" : "+"}${path.split("/").at(-1)}`,
  );
  return names.length === 0 ? "restart only" : names.sort().join(" ");
}

test.each<[string, string, Partial<Host>, Record<string, object>, Baseline]>([
  ["to the key that lies ready", "+api-key.sh +settings.json", over, READY, DEAD],
  ["to it, while the login works", "+api-key.sh +settings.json", over, READY, WORKS],
  ["to it again", "unchanged", over, OVER, WORKS],
  ["to it again, when it does not answer", "restart only", over, OVER, DEAD],
  ["to a key that is not there", "refused BACKUP_UNKNOWN", over, {}, DEAD],
  [
    "to it from a variable, which stays",
    "+api-key.sh +settings.json",
    over,
    { ...READY, ...TOKEN },
    DEAD,
  ],
  ["back to the file", "+settings.json -api-key.sh", hybrid, OVER, WORKS],
  ["back to the variable", "+settings.json -api-key.sh", byVariable, { ...OVER, ...TOKEN }, WORKS],
  ["back to a login of the host's own", "+settings.json -api-key.sh", own, OVER, WORKS],
  ["back, where it is back", "unchanged", hybrid, READY, WORKS],
])("a failover goes %s: %s", (_, expected, host, files, baseline) => {
  expect(tell(plan(host, files, baseline))).toBe(expected);
});

describe("says what the host runs on after it", () => {
  test.each<[string, Partial<Host>, Record<string, object>, object]>([
    ["the key", over, READY, { fingerprint: keyPrint }],
    ["the login", hybrid, OVER, { fingerprint: loginPrint, validUntil: 7 }],
    [
      "the token",
      byVariable,
      { ...OVER, ...TOKEN },
      { fingerprint: fingerprintOf(new Secret("CANARY-t")) },
    ],
  ])("%s", (_, host, files, brings) => {
    const decided = plan(host, files, WORKS);
    expect(decided).toMatchObject({ kind: "change", brings });
    expect(JSON.stringify(decided)).not.toContain("CANARY");
  });
});

describe("a push", () => {
  const block = new Secret(`{"accessToken":"CANARY-a","expiresAt":7}`);
  const offer: Offer = { block, fingerprint: loginPrint, validUntil: 7, spare: new Secret(KEY) };

  test("ends a failover, and says so", () => {
    const decided = plan(hybrid, OVER, WORKS, offer);
    expect(tell(decided)).toContain("+settings.json -api-key.sh");
    expect(decided).toMatchObject({ note: `this ends the failover to API key ${keyPrint}` });
  });

  test("has nothing to say where there is none", () => {
    const decided = plan(hybrid, READY, DEAD, offer);
    expect(decided).toMatchObject({ kind: "change" });
    expect(decided).not.toHaveProperty("note");
  });

  test("to a host with a login of its own puts the key there, and judges the login as before", () => {
    const spare = { spare: new Secret(KEY) };
    expect(tell(plan(own, {}, WORKS, spare))).toBe("+api-key");
    expect(tell(plan(own, READY, WORKS, spare))).toBe("unchanged");
    expect(tell(plan(own, READY, DEAD, spare))).toBe("failed OWN_LOGIN_FAILED");
  });
});

test.each([
  ["failed over", OVER, hybrid, [`failed over to API key ${keyPrint}`]],
  ["not failed over", READY, hybrid, []],
  [
    "a host whose delivery is the helper",
    OVER,
    { delivery: "api-key", means: "key-helper" } as const,
    [],
  ],
])("the state in a plan: %s", (_, files, host, lines) => {
  const report = probeReport({ files: new Map(Object.entries(files)) });
  expect(failoverState(hostEntry(host), report)).toEqual(lines);
});
