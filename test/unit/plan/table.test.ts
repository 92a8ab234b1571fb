import { describe, expect, test } from "vitest";
import { fingerprintOf } from "../../../src/credentials/fingerprint.ts";
import type { Delivery, Means } from "../../../src/hosts/host.ts";
import { HELPER, helperCommand } from "../../../src/plan/own-files.ts";
import { planHost } from "../../../src/plan/plan.ts";
import type { Baseline, Offer, Plan } from "../../../src/plan/plan.ts";
import type { HostFile } from "../../../src/remote/host-files.ts";
import type { Finding } from "../../../src/remote/shadow-fact.ts";
import { Secret } from "../../../src/secret.ts";
import { hostEntry } from "../../support/host-entry.ts";
import { probeReport } from "./a-probe-report.ts";

/**
 * The decision table, whole: every combination of what the laptop has, what lies on the host, what an earlier push has
 * left there, the delivery, a shadow, the ledger, the wrapper's answer and the flags; and beside it, written without a
 * look at the code, what must come of it.
 */
const LOCAL = ["ends later", "ends sooner"] as const;
const HOST = [
  "absent",
  "corrupt",
  "no login",
  "blanked",
  "as offered",
  "another access token",
  "an access token that is over",
  "a login of its own",
  "a login of its own that is over",
  "the laptop's own login",
] as const;
const LEFT = ["nothing", "oauth-variable", "key-variable", "key-helper"] as const;
const DELIVERY = {
  "access-token": ["access-token", "file"],
  "full-login": ["full-login", "file"],
  "setup-token": ["setup-token", "file"],
  "setup-token as variable": ["setup-token", "oauth-variable"],
  "api-key": ["api-key", "key-variable"],
  "api-key by helper": ["api-key", "key-helper"],
  "own-login": ["own-login", "none"],
} as const satisfies Record<string, readonly [Delivery, Means]>;
const SHADOW = [
  "none",
  "curable",
  "curable, cleared",
  "for a person",
  "for a person, cleared",
] as const;
const LEDGER = ["empty", "knows what lies there"] as const;
const ANSWER = ["works", "fails", "dead"] as const;
const FORCE = [false, true] as const;

interface Case {
  readonly local: (typeof LOCAL)[number];
  readonly host: (typeof HOST)[number];
  readonly left: (typeof LEFT)[number];
  readonly delivery: keyof typeof DELIVERY;
  readonly shadow: (typeof SHADOW)[number];
  readonly ledger: (typeof LEDGER)[number];
  readonly answer: (typeof ANSWER)[number];
  readonly force: boolean;
}

const NOW = 1_000;
const HOST_ENDS = 5_000;
const DIR = "/home/deploy/.claude";
const AT = {
  credentials: `${DIR}/.credentials.json`,
  settings: `${DIR}/settings.json`,
  env: `${DIR}/.sync-creds/wrapper.env`,
  key: `${DIR}/.sync-creds/api-key`,
  script: `${DIR}/.sync-creds/api-key.sh`,
  wiring: "/etc/systemd/system/wrapper.service.d/zz-sync-creds.conf",
};

// ---- what must come of it ---------------------------------------------------------------------------------------

/** `unchanged`, `OUTCOME CODE`, or the files that change, by name. */
function oracle(c: Case): string {
  if (c.delivery === "own-login") {
    if (c.shadow !== "none") return "refused SHADOWED";
    return c.answer === "works" ? "unchanged" : "failed OWN_LOGIN_FAILED";
  }
  if (isConflict(c)) return "conflict HOST_LOGIN_CONFLICT";
  if (c.shadow !== "none" && c.shadow !== "curable, cleared") return "refused SHADOWED";
  const files = changed(c);
  if (files.length > 0) return `change ${files.sort().join(" ")}`;
  return c.answer === "works" ? "unchanged" : "restart only";
}

function isConflict({ host, delivery, ledger, answer, shadow, left, local, force }: Case): boolean {
  const [, means] = DELIVERY[delivery];
  // Only these write or remove a login of the file.
  if (force || (means !== "file" && means !== "oauth-variable")) return false;
  // What the wrapper says is about the file's login only where nothing outranks the file.
  if (answer === "dead" && shadow === "none" && left === "nothing") return false;
  if (host === "the laptop's own login") return delivery.startsWith("setup-token");
  if (ledger === "knows what lies there") return false;
  if (host === "a login of its own") return true;
  return host === "another access token" && local === "ends sooner";
}

function changed({ host, left, delivery, shadow }: Case): string[] {
  const [, means] = DELIVERY[delivery];
  const clears = shadow === "curable, cleared";
  const files: (keyof typeof AT)[] = [];
  const hasLogin = !["absent", "no login"].includes(host);
  if (means === "file" ? host !== "as offered" : means === "oauth-variable" && hasLogin) {
    files.push("credentials");
  }
  const usesEnv = means === "oauth-variable" || means === "key-variable";
  const hasEnv = left === "oauth-variable" || left === "key-variable";
  if (usesEnv ? left !== means : hasEnv) files.push("env");
  // The drop-in names the env file, and what the unit shall leave out.
  if (clears || usesEnv !== hasEnv) files.push("wiring");
  if ((means === "key-helper") !== (left === "key-helper")) files.push("settings", "key", "script");
  return files;
}

// ---- the question ------------------------------------------------------------------------------------------------

const OURS = "sk-ant-oat01-CANARYours";
const THEIRS = "sk-ant-oat01-CANARYtheirs";
const REFRESH = "sk-ant-ort01-CANARYtheirs";
const LAPTOP = "sk-ant-ort01-CANARYlaptop";
const KEY = "sk-ant-api03-CANARYkey";

function offerOf({ delivery, local }: Case): Offer {
  const validUntil = local === "ends later" ? HOST_ENDS + 1 : HOST_ENDS - 1;
  const localRefreshFingerprint = fingerprintOf(new Secret(LAPTOP));
  if (delivery === "own-login") return {};
  if (delivery.startsWith("api-key")) return { value: new Secret(KEY), fingerprint: "key" };
  const block = new Secret(blockOf(OURS, validUntil));
  const offer = { fingerprint: fingerprintOf(new Secret(OURS)), validUntil };
  // A setup token is pushed without a look at the laptop's login.
  if (delivery === "setup-token") return { ...offer, block };
  if (delivery === "setup-token as variable") return { ...offer, value: new Secret(OURS) };
  return { ...offer, block, localRefreshFingerprint };
}

function blockOf(accessToken: string, expiresAt: number, more: object = {}): string {
  return JSON.stringify({ accessToken, expiresAt, scopes: ["user:inference"], ...more });
}

function contentOf({ host, local }: Case): string | undefined {
  const file = (block: string) => `{"mcpOAuth":{},"claudeAiOauth":${block}}`;
  switch (host) {
    case "absent":
      return undefined;
    case "corrupt":
      return '{"claudeAi';
    case "no login":
      return '{"mcpOAuth":{}}';
    case "blanked":
      return file(blockOf("", 0, { refreshToken: "" }));
    case "as offered":
      return file(blockOf(OURS, local === "ends later" ? HOST_ENDS + 1 : HOST_ENDS - 1));
    case "another access token":
      return file(blockOf(THEIRS, HOST_ENDS));
    case "an access token that is over":
      return file(blockOf(THEIRS, NOW - 1));
    case "a login of its own":
      return file(blockOf(THEIRS, HOST_ENDS, { refreshToken: REFRESH }));
    case "a login of its own that is over":
      return file(
        blockOf(THEIRS, NOW - 2, { refreshToken: REFRESH, refreshTokenExpiresAt: NOW - 1 }),
      );
    case "the laptop's own login":
      return file(blockOf(THEIRS, HOST_ENDS, { refreshToken: LAPTOP }));
  }
}

const HOST_ENTRY = hostEntry({
  restart: { kind: "systemd", unit: "wrapper.service", scope: "system" },
});

function filesOf(c: Case): Map<string, HostFile> {
  const files = new Map<string, HostFile>();
  const add = (path: string, text: string, mode = "-rw-------", uid = 1001) =>
    files.set(path, { kind: "file", mode, uid, links: 1, bytes: Buffer.from(text) });
  const content = contentOf(c);
  if (content !== undefined) add(AT.credentials, content);
  const helper =
    c.left === "key-helper"
      ? `,"apiKeyHelper":${JSON.stringify(helperCommand(HOST_ENTRY, AT.script))}`
      : "";
  add(AT.settings, `{"model":"opus"${helper}}`);
  if (c.left === "key-helper") {
    add(AT.key, `${KEY}\n`);
    add(AT.script, HELPER, "-rwx------");
  }
  if (c.left === "oauth-variable" || c.left === "key-variable") {
    const [name, value] =
      c.left === "oauth-variable" ? ["CLAUDE_CODE_OAUTH_TOKEN", OURS] : ["ANTHROPIC_API_KEY", KEY];
    add(AT.env, `${name}=${value}\n`);
    const mark =
      "# Written by sync-creds, which keeps it and removes it when nothing needs it any more.";
    add(AT.wiring, `${mark}\n[Service]\nEnvironmentFile=${AT.env}\n`, "-rw-r--r--", 0);
  }
  return files;
}

function shadowsOf({ shadow }: Case): Finding[] {
  if (shadow === "none") return [];
  const place = shadow.startsWith("curable") ? "process" : "managed-settings";
  const path = place === "process" ? {} : { path: "/etc/claude-code/managed-settings.json" };
  const source = { name: "ANTHROPIC_AUTH_TOKEN", place, value: "set", ...path } as const;
  return [{ name: source.name, value: "set", sources: [source] }];
}

function plan(c: Case): Plan {
  const [delivery, means] = DELIVERY[c.delivery];
  const files = filesOf(c);
  const credentials = files.get(AT.credentials);
  const fingerprints = [THEIRS, REFRESH].map((token) => fingerprintOf(new Secret(token)));
  const baseline: Baseline = {
    passed: c.answer === "works",
    unusable: undefined,
    loginDead: c.answer === "dead",
    meaning: c.answer,
  };
  return planHost({
    host: { ...HOST_ENTRY, delivery, means },
    offer: offerOf(c),
    report: probeReport({
      files,
      ...(credentials === undefined ? {} : { fileEntry: credentials, file: credentials.bytes }),
      clock: NOW,
      unit: "active",
      wiring: AT.wiring,
    }),
    baseline,
    shadows: shadowsOf(c),
    fileDecides: c.shadow === "none" && c.left === "nothing",
    flaw: undefined,
    lastWritten: c.ledger === "empty" ? [] : fingerprints,
    force: c.force,
    clearShadows: c.shadow.endsWith("cleared"),
  });
}

function tell(decided: Plan): string {
  switch (decided.kind) {
    case "unchanged":
      return "unchanged";
    case "look-closer":
      return `look at ${decided.path}`;
    case "recover":
      return "recover";
    case "refuse":
      return `${decided.outcome} ${decided.error.code}`;
    case "change": {
      if (decided.changes.length === 0) return "restart only";
      const names = Object.entries(AT);
      const files = decided.changes.map(
        ({ path }) => names.find(([, at]) => at === path)?.[0] ?? path,
      );
      return `change ${files.sort().join(" ")}`;
    }
  }
}

function* casesOf(delivery: keyof typeof DELIVERY): Generator<Case> {
  for (const local of LOCAL)
    for (const host of HOST)
      for (const left of LEFT)
        for (const shadow of SHADOW)
          for (const ledger of LEDGER)
            for (const answer of ANSWER)
              for (const force of FORCE)
                yield { local, host, left, delivery, shadow, ledger, answer, force };
}

describe("the decision table", () => {
  test.each(Object.keys(DELIVERY) as (keyof typeof DELIVERY)[])("of %s", (delivery) => {
    const wrong: unknown[] = [];
    const seen = new Set<string>();
    for (const c of casesOf(delivery)) {
      const decided = tell(plan(c));
      seen.add(decided);
      if (decided !== oracle(c)) wrong.push({ ...c, decided, expected: oracle(c) });
    }
    expect(wrong.slice(0, 5)).toEqual([]);
    expect(wrong).toHaveLength(0);
    // The table would prove nothing if all were alike.
    expect(seen.size).toBeGreaterThanOrEqual(delivery === "own-login" ? 2 : 5);
  });

  test("never shows a secret", () => {
    const shown = [...casesOf("api-key"), ...casesOf("full-login")].map((c) =>
      JSON.stringify(plan(c)),
    );
    expect(shown.filter((text) => text.includes("CANARY"))).toEqual([]);
  });
});
