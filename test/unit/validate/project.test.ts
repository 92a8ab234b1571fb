import * as fc from "fast-check";
import { expect, test } from "vitest";
import { fingerprintOf } from "../../../src/credentials/fingerprint.ts";
import { parseCredentials } from "../../../src/credentials/parse.ts";
import { Secret } from "../../../src/secret.ts";
import { projectLogin } from "../../../src/validate/project.ts";
import { verifyLogin } from "../../../src/validate/validate.ts";
import { FAKE_NOW } from "../../support/fake-ports.ts";
import { ACCESS, REFRESH, credentialsFile, loginBlock } from "../credentials/a-credentials-file.ts";

const BLOCK = loginBlock(FAKE_NOW);

test("an access token leaves without the means to renew it, its keys in order", () => {
  const projection = projectLogin(loginIn({ organizationName: "CANARYorg" }), "access-token");

  const { accessToken, expiresAt, scopes, subscriptionType, rateLimitTier } = BLOCK;
  expect(projection.block.reveal()).toBe(
    JSON.stringify({ accessToken, expiresAt, scopes, subscriptionType, rateLimitTier }),
  );
  expect({ ...projection, block: undefined }).toEqual({
    fingerprint: fingerprintOf(new Secret(ACCESS)),
    validUntil: BLOCK.expiresAt,
    localRefreshFingerprint: fingerprintOf(new Secret(REFRESH)),
  });
});

test("what a login does not say is not made up", () => {
  const bare = { refreshToken: undefined, subscriptionType: undefined, rateLimitTier: null };
  const { block, localRefreshFingerprint } = projectLogin(loginIn(bare), "access-token");

  const sent: Record<string, unknown> = JSON.parse(block.reveal());
  expect(Object.keys(sent)).toEqual(["accessToken", "expiresAt", "scopes", "rateLimitTier"]);
  expect(localRefreshFingerprint).toBe(undefined);
});

test("a login that is handed over leaves as it stands in the file", () => {
  const projection = projectLogin(loginIn({ unknown: { deep: [1] } }), "full-login");

  expect(projection.block.reveal()).toBe(JSON.stringify({ ...BLOCK, unknown: { deep: [1] } }));
  expect({ ...projection, block: undefined }).toEqual({
    fingerprint: fingerprintOf(new Secret(ACCESS)),
    validUntil: BLOCK.refreshTokenExpiresAt,
    localRefreshFingerprint: fingerprintOf(new Secret(REFRESH)),
    sentRefreshFingerprint: fingerprintOf(new Secret(REFRESH)),
  });
});

test("nothing printable of a projection holds a secret", () => {
  expect(JSON.stringify(projectLogin(loginIn({}), "full-login"))).not.toContain("CANARY");
});

test("whatever else stands in a login: with an access token its refresh token never leaves", () => {
  const strange = fc.dictionary(
    fc.string({ minLength: 1 }).filter((key) => !(key in BLOCK)),
    fc.oneof(fc.jsonValue(), fc.constant(REFRESH)),
  );
  fc.assert(
    fc.property(strange, (more) => {
      const { block } = projectLogin(loginIn(more), "access-token");

      expect(block.reveal()).not.toContain(REFRESH);
      expect(block.reveal()).not.toContain("CANARYclient");
    }),
  );
});

function loginIn(different: Record<string, unknown>) {
  const credentials = parseCredentials(Buffer.from(credentialsFile(FAKE_NOW, different)));
  return verifyLogin(credentials, "access-token", FAKE_NOW).login;
}
