import { describe, expect, test } from "vitest";
import { parseCredentials } from "../../../src/credentials/parse.ts";
import { checkLogin } from "../../../src/doctor/login-checks.ts";
import type { Manner } from "../../../src/doctor/login-checks.ts";

const NOW = Date.UTC(2026, 0, 1);
const HOUR = 3600_000;
const DAY = 24 * HOUR;
const laptop: Manner = {
  exit: 4,
  cure: ["log in"],
  renew: ["refresh"],
  mustBeFresh: true,
  isProven: false,
};
const onHost: Manner = { ...laptop, exit: 10, cure: ["push"], renew: ["push"], mustBeFresh: false };

function login(different: object): string {
  const block = {
    accessToken: "sk-ant-oat01-CANARY",
    refreshToken: "sk-ant-ort01-CANARY",
    expiresAt: NOW + 7 * HOUR,
    scopes: ["user:inference"],
    ...different,
  };
  return JSON.stringify({ claudeAiOauth: block });
}

function judge(text: string, manner: Manner) {
  const checks = checkLogin(parseCredentials(Buffer.from(text), "FILE"), NOW, manner);
  expect(JSON.stringify(checks)).not.toContain("CANARY");
  return checks.map(({ topic, mark, exit, cure }) =>
    `${topic} ${mark} ${exit} ${cure.join()}`.trim(),
  );
}

const WELL = ["saved ok 0", "form ok 0", "expiry ok 0"];
const once = { refreshToken: undefined };

describe("a login is not saved, malformed, expired, or well", () => {
  test.each<[string, string, Manner, string[]]>([
    ["here, well", login({}), laptop, WELL],
    ["here, cleared", login({ accessToken: "", expiresAt: 0 }), laptop, ["saved bad 4 log in"]],
    ["here, of MCP servers only", '{"mcpOAuth":{}}', laptop, ["saved bad 4 log in"]],
    ["here, no login", "{}", laptop, ["saved bad 4 log in"]],
    ["here, cut off", '{"claudeAiOauth":{"acc', laptop, ["saved ok 0", "form bad 4 log in"]],
    [
      "here, behind a byte order mark",
      `\uFEFF${login({})}`,
      laptop,
      ["saved ok 0", "form bad 4 log in"],
    ],
    ["here, without the scope", login({ scopes: [] }), laptop, ["saved ok 0", "form bad 4 log in"]],
    [
      "here, of wrong types",
      login({ expiresAt: "soon" }),
      laptop,
      ["saved ok 0", "form bad 4 log in"],
    ],
    [
      "here, in seconds",
      login({ expiresAt: NOW / 1000 }),
      laptop,
      ["saved ok 0", "form bad 4 log in"],
    ],
    [
      "here, a stand-in",
      login({ accessToken: "sk-ant-oat01-placeholder" }),
      laptop,
      ["saved ok 0", "form bad 4 log in"],
    ],
    [
      "here, flat",
      JSON.stringify((JSON.parse(login({})) as { claudeAiOauth: object }).claudeAiOauth),
      laptop,
      ["saved ok 0", "form bad 4 log in", "expiry ok 0"],
    ],
    [
      "here, its access token over",
      login({ expiresAt: NOW - 1 }),
      laptop,
      ["saved ok 0", "form ok 0", "expiry bad 4 refresh"],
    ],
    [
      "here, its 30 days over",
      login({ refreshTokenExpiresAt: NOW - 1 }),
      laptop,
      ["saved ok 0", "form ok 0", "expiry bad 4 log in"],
    ],
    [
      "here, its 30 days nearly over",
      login({ refreshTokenExpiresAt: NOW + 3 * DAY }),
      laptop,
      ["saved ok 0", "form ok 0", "expiry warn 15 log in"],
    ],
    ["there, well", login(once), onHost, WELL],
    ["there, renewed by its own Claude Code", login({ expiresAt: NOW - HOUR }), onHost, WELL],
    [
      "there, over, and nobody can renew it",
      login({ ...once, expiresAt: NOW - 1 }),
      onHost,
      ["saved ok 0", "form ok 0", "expiry bad 10 push"],
    ],
    [
      "there, over by its date, but the wrapper answers",
      login({ ...once, expiresAt: NOW - 1 }),
      { ...onHost, isProven: true },
      ["saved ok 0", "form ok 0", "expiry warn 15 push"],
    ],
    [
      "there, nearly over",
      login({ ...once, expiresAt: NOW + 60_000 }),
      onHost,
      ["saved ok 0", "form ok 0", "expiry warn 15 push"],
    ],
    ["there, a setup token without a date", login({ ...once, expiresAt: undefined }), onHost, WELL],
  ])("%s", (_, text, manner, expected) => {
    expect(judge(text, manner)).toEqual(expected);
  });
});
