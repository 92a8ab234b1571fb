import { describe, expect, test } from "vitest";
import { parseCredentials } from "../../../src/credentials/parse.ts";
import { isRenewalDue, renewalDueAt, verifyRenewableLogin } from "../../../src/validate/renewal.ts";

const NOW = Date.UTC(2026, 0, 1);
const MINUTE_MS = 60_000;

describe("a renewal is due", () => {
  test.each([
    ["in the last 5 minutes", { expiresAt: NOW + 5 * MINUTE_MS }, true],
    ["not before", { expiresAt: NOW + 5 * MINUTE_MS + 1 }, false],
    ["when the access token is over", { expiresAt: NOW - 1 }, true],
    ["not without a refresh token", { expiresAt: NOW, refreshToken: null }, false],
    ["not of a blanked login", { accessToken: "", refreshToken: "", expiresAt: 0 }, false],
    ["not once the login is over", { expiresAt: NOW, refreshTokenExpiresAt: NOW }, false],
    ["not of a placeholder", { expiresAt: NOW, accessToken: "sk-ant-oat01-placeholder" }, false],
  ])("%s", (_, login, isDue) => {
    expect(isRenewalDue(credentials(login), NOW)).toBe(isDue);
  });

  test("five minutes before the end", () => {
    expect(renewalDueAt({ expiresAt: NOW })).toBe(NOW - 5 * MINUTE_MS);
  });
});

test.each([
  ["without a refresh token", { refreshToken: null }, "CREDENTIALS_NOT_RENEWABLE"],
  ["that was blanked", { accessToken: "", refreshToken: "" }, "CREDENTIALS_BLANKED"],
  ["that is over", { refreshTokenExpiresAt: NOW - 1 }, "CREDENTIALS_LOGIN_OVER"],
  ["without scopes", { scopes: [] }, "CREDENTIALS_NO_INFERENCE"],
])("a login %s cannot be renewed", (_, login, code) => {
  expect(() => verifyRenewableLogin(credentials(login), NOW)).toThrow(
    expect.objectContaining({ code }),
  );
});

function credentials(login: Record<string, unknown>) {
  const block = {
    accessToken: "sk-ant-oat01-CANARYaccess",
    refreshToken: "sk-ant-ort01-CANARYrefresh",
    expiresAt: NOW + 60 * MINUTE_MS,
    scopes: ["user:inference"],
    ...login,
  };
  return parseCredentials(Buffer.from(JSON.stringify({ claudeAiOauth: block })));
}
