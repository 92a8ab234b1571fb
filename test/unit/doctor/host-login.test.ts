import { expect, test } from "vitest";
import { fingerprintOf } from "../../../src/credentials/fingerprint.ts";
import { checkHostLogin } from "../../../src/doctor/host-login.ts";
import type { Comparison } from "../../../src/doctor/host-login.ts";
import type { Host } from "../../../src/hosts/host.ts";
import type { ProbeReport } from "../../../src/remote/probe-report.ts";
import { Secret } from "../../../src/secret.ts";
import { hostEntry } from "../../support/host-entry.ts";
import { PRIVATE_FILE, probeReport } from "../plan/a-probe-report.ts";

const NOW = Date.UTC(2026, 0, 1);
const MINE = "sk-ant-oat01-CANARYmine";
const OTHER = "sk-ant-oat01-CANARYother";
const REFRESH = "sk-ant-ort01-CANARYmine";
const RENEWED = "sk-ant-ort01-CANARYrenewed";
const named = (text: string) => fingerprintOf(new Secret(text));

const laptop: Comparison = {
  fingerprint: named(MINE),
  refreshFingerprint: named(REFRESH),
  lastWritten: [],
  isProven: false,
};

function withLogin(accessToken: string, refreshToken?: string): Partial<ProbeReport> {
  const block = {
    accessToken,
    refreshToken,
    expiresAt: NOW + 3600_000,
    scopes: ["user:inference"],
  };
  const file = Buffer.from(JSON.stringify({ claudeAiOauth: block }));
  return { fileEntry: PRIVATE_FILE, file };
}

function withFile(path: string, text: string): Partial<ProbeReport> {
  return { files: new Map([[path, { ...PRIVATE_FILE, bytes: Buffer.from(text) }]]) };
}

const OWN = "/home/deploy/.claude/.sync-creds";
const full = { delivery: "full-login" } as const;
const setup = { delivery: "setup-token" } as const;
const byVariable = { ...setup, means: "oauth-variable" } as const;
const key = { delivery: "api-key", means: "key-variable" } as const;
const WELL = ["saved ok", "form ok", "expiry ok"];

test.each<[string, Partial<Host>, Partial<ProbeReport>, Partial<Comparison>, string[]]>([
  ["this laptop's login", {}, withLogin(MINE), {}, [...WELL, "drift ok"]],
  [
    "one that it gave before",
    {},
    withLogin(OTHER),
    { lastWritten: [named(OTHER)] },
    [...WELL, "drift warn 14"],
  ],
  ["one that it never gave", {}, withLogin(OTHER), {}, [...WELL, "drift warn 14"]],
  ["one of its own", {}, withLogin(OTHER, RENEWED), {}, [...WELL, "drift warn 14"]],
  [
    "the laptop's, with its refresh token",
    {},
    withLogin(MINE, REFRESH),
    {},
    [...WELL, "shared bad 10", "drift ok"],
  ],
  [
    "handed over just now",
    full,
    withLogin(MINE, REFRESH),
    {},
    [...WELL, "shared bad 10", "drift ok"],
  ],
  [
    "handed over, and the laptop has logged in anew",
    full,
    withLogin(OTHER, RENEWED),
    { lastWritten: [named(OTHER), named(RENEWED)] },
    [...WELL, "drift note"],
  ],
  [
    "handed over, and renewed there",
    full,
    withLogin(OTHER, RENEWED),
    { lastWritten: [named(MINE), named(REFRESH)] },
    [...WELL, "drift note"],
  ],
  [
    "its own, as agreed",
    { delivery: "own-login", means: "none" },
    withLogin(OTHER, RENEWED),
    {},
    [...WELL, "drift ok"],
  ],
  [
    "a setup token in the file",
    setup,
    withLogin(OTHER),
    { lastWritten: [named(OTHER)] },
    [...WELL, "drift ok"],
  ],
  [
    "another setup token",
    setup,
    withLogin(OTHER),
    { lastWritten: [named(OTHER), named(MINE)] },
    [...WELL, "drift warn 14"],
  ],
  ["nothing", {}, {}, {}, ["saved bad 10"]],
  [
    "a setup token in an env file of ours",
    byVariable,
    withFile(`${OWN}/wrapper.env`, `CLAUDE_CODE_OAUTH_TOKEN=${OTHER}\n`),
    { lastWritten: [named(OTHER)] },
    ["saved ok", "drift ok"],
  ],
  [
    "an env file that sets something else",
    byVariable,
    withFile(`${OWN}/wrapper.env`, "A=1\n"),
    {},
    ["saved bad 10"],
  ],
  [
    "a key in an env file of the user's own",
    { ...key, envFile: "~/wrapper.env" },
    withFile("/home/deploy/wrapper.env", `A=1\nANTHROPIC_API_KEY="${OTHER}"\n`),
    { lastWritten: [named(OTHER)] },
    ["saved ok", "drift ok"],
  ],
  [
    "a key for the helper script",
    { ...key, means: "key-helper" },
    withFile(`${OWN}/api-key`, `${OTHER}\n`),
    {},
    ["saved ok", "drift warn 14"],
  ],
  ["no key for the helper script", { ...key, means: "key-helper" }, {}, {}, ["saved bad 10"]],
])("%s", (_, host, report, known, expected) => {
  const checks = checkHostLogin(hostEntry(host), probeReport({ clock: NOW, ...report }), {
    ...laptop,
    ...known,
  });
  expect(JSON.stringify(checks)).not.toContain("CANARY");
  expect(
    checks.map(({ topic, mark, exit }) => `${topic} ${mark}${exit === 0 ? "" : ` ${exit}`}`),
  ).toEqual(expected);
});
