import { inspect } from "node:util";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseCredentials } from "../../../src/credentials/parse.ts";
import { SyncCredsError } from "../../../src/errors.ts";
import type { Delivery } from "../../../src/hosts/host.ts";
import { mergeCredentials } from "../../../src/plan/changes.ts";
import { projectLogin } from "../../../src/validate/project.ts";
import { verifyLogin } from "../../../src/validate/validate.ts";
import { FAKE_NOW } from "../../support/fake-ports.ts";
import { loginBlock } from "../credentials/a-credentials-file.ts";

/** The secret parts of two tokens: no eight characters in a row of them may be seen. */
const SECRET = "Qx7Vb2Kd9Zt4Rm6Wp1Hs";
const RENEWAL = "Yf3Lg8Nc5Ja0Te2Uo6Bi";
const TOKENS = { accessToken: `sk-ant-oat01-${SECRET}`, refreshToken: `sk-ant-ort01-${RENEWAL}` };

const MAY_LEAVE = new Set([
  "accessToken",
  "expiresAt",
  "scopes",
  "subscriptionType",
  "rateLimitTier",
]);
const HOUR = 3_600_000;

const instant = fc.oneof(
  fc.constantFrom(0, 1, -1, 1.5, null, "tomorrow", FAKE_NOW / 1000, FAKE_NOW, FAKE_NOW + 60_000),
  fc.integer({ min: FAKE_NOW - HOUR, max: FAKE_NOW + 9 * HOUR }),
  fc.maxSafeInteger(),
);
const block = fc.record(
  {
    accessToken: fc.constantFrom<unknown>(TOKENS.accessToken, "", null, 7, `${SECRET}\n`),
    refreshToken: fc.constantFrom<unknown>(TOKENS.refreshToken, "", null, [RENEWAL]),
    expiresAt: instant,
    refreshTokenExpiresAt: instant,
    scopes: fc.oneof(fc.constant(["user:inference"]), fc.constantFrom(null, SECRET, [SECRET])),
    subscriptionType: fc.constantFrom<unknown>("max", null, { [SECRET]: SECRET }),
    another: fc.oneof(fc.jsonValue(), fc.constant(RENEWAL)),
  },
  { requiredKeys: [] },
);
const fit = fc.record({
  another: fc.oneof(fc.jsonValue(), fc.constant(TOKENS.refreshToken)),
  organizationUuid: fc.constant(RENEWAL),
  subscriptionType: fc.constantFrom("max", null),
  expiresAt: fc.integer({ min: FAKE_NOW + HOUR, max: FAKE_NOW + 9 * HOUR }),
});

/** Files as they come: wrapped, flat, among other keys, in other words, cut somewhere, or anything at all. */
const file = fc.oneof(
  fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  fc.json().map((text) => Buffer.from(text)),
  fc
    .tuple(
      block,
      fc.constantFrom("claudeAiOauth", "claude_ai_oauth", "mcpOAuth", "primaryApiKey", undefined),
      fc.option(fc.nat({ max: 600 }), { nil: undefined }),
    )
    .map(([login, key, cut]) =>
      Buffer.from(JSON.stringify(key === undefined ? login : { [key]: login }).slice(0, cut)),
    ),
);
const delivery = fc.constantFrom<Delivery>("access-token", "full-login");

const judge = (bytes: Buffer, how: Delivery, allowShortTtl: boolean, now = FAKE_NOW) =>
  verifyLogin(parseCredentials(bytes, "~/.claude/.credentials.json"), how, now, { allowShortTtl });

/** The same, with a refusal as a value. */
function verdictOn(...question: Parameters<typeof judge>): ReturnType<typeof judge> | Error {
  try {
    return judge(...question);
  } catch (thrown) {
    return thrown instanceof Error ? thrown : new Error(String(thrown));
  }
}

/** Eight characters in a row of a secret part, if the text has such. */
function findLeak(text: string): string | undefined {
  return [SECRET, RENEWAL]
    .flatMap((secret) =>
      Array.from({ length: secret.length - 7 }, (_, at) => secret.slice(at, at + 8)),
    )
    .find((piece) => text.includes(piece));
}

describe("whatever file this laptop has", () => {
  test("it is a fit login, or an error of ours with a cause and a next step", () => {
    fc.assert(
      fc.property(file, delivery, fc.boolean(), (bytes, how, lenient) => {
        const verdict = verdictOn(bytes, how, lenient);
        const isFit = !(verdict instanceof Error) && verdict.login.accessToken.reveal() !== "";
        const isTold =
          verdict instanceof SyncCredsError &&
          verdict.code.startsWith("CREDENTIALS_") &&
          (verdict.why ?? "") !== "" &&
          verdict.next.join("") !== "";
        expect(isFit || isTold).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test("no error and no note shows eight characters of a token", () => {
    fc.assert(
      fc.property(file, delivery, fc.boolean(), (bytes, how, lenient) => {
        const seen = verdictOn(bytes, how, lenient);
        expect(findLeak(inspect(seen, { depth: 9, showHidden: true }))).toBeUndefined();
      }),
      { numRuns: 500 },
    );
  });

  test("a login that passes at some time would have passed at any earlier one", () => {
    const times = fc.tuple(fc.nat(9 * HOUR), fc.nat(9 * HOUR));
    const bytes = fc.tuple(instant, instant).map(([expiresAt, refreshTokenExpiresAt]) =>
      Buffer.from(
        JSON.stringify({
          claudeAiOauth: loginBlock(FAKE_NOW, { ...TOKENS, expiresAt, refreshTokenExpiresAt }),
        }),
      ),
    );
    fc.assert(
      fc.property(bytes, delivery, times, (content, how, [one, other]) => {
        const [early, late] = [Math.min(one, other), Math.max(one, other)];
        const [then, before] = [late, early].map(
          (after) => !(verdictOn(content, how, false, FAKE_NOW + after) instanceof Error),
        );
        expect(before || !then).toBe(true);
      }),
    );
  });
});

describe("whatever a fit login holds", () => {
  const located = fc.tuple(fit, fc.boolean()).map(([different, isFlat]) => {
    const login = loginBlock(FAKE_NOW, { ...TOKENS, ...different });
    return Buffer.from(
      JSON.stringify(isFlat ? login : { claudeAiOauth: login, mcpOAuth: RENEWAL }),
    );
  });

  test("an access token leaves with its allow-list alone", () => {
    fc.assert(
      fc.property(located, (bytes) => {
        const { block: leaving } = projectLogin(
          judge(bytes, "access-token", false).login,
          "access-token",
        );
        expect(leaving.reveal()).not.toContain(RENEWAL);
        const fields: Record<string, unknown> = JSON.parse(leaving.reveal());
        expect(Object.keys(fields).filter((key) => !MAY_LEAVE.has(key))).toEqual([]);
      }),
    );
  });

  test("a host is never given the flat shape, nor what stands beside the block here", () => {
    fc.assert(
      fc.property(located, delivery, (bytes, how) => {
        const { block: leaving } = projectLogin(judge(bytes, how, false).login, how);
        const { content } = mergeCredentials(undefined, leaving);
        const sent: Record<string, unknown> = JSON.parse(content.reveal());
        expect(Object.keys(sent)).toEqual(["claudeAiOauth"]);
        expect(sent["claudeAiOauth"]).toMatchObject({ accessToken: TOKENS.accessToken });
      }),
    );
  });
});
