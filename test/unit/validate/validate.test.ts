import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { parseCredentials } from "../../../src/credentials/parse.ts";
import type { Delivery } from "../../../src/hosts/host.ts";
import { verifyLogin } from "../../../src/validate/validate.ts";
import { FAKE_NOW } from "../../support/fake-ports.ts";
import { ACCESS, credentialsFile, loginBlock } from "../credentials/a-credentials-file.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const LOG_IN = "Log in: run `claude` and type `/login`, then push again";

describe("a sound login passes", () => {
  test.each<Delivery>(["access-token", "full-login"])("for %s, without a word", (delivery) => {
    const { login, notes } = verify({}, delivery);

    expect(login.accessToken.reveal()).toBe(ACCESS);
    expect(notes).toEqual([]);
  });

  test("with no refresh token, as `claude setup-token` makes it", () => {
    expect(verify({ refreshToken: null, refreshTokenExpiresAt: undefined }).notes).toEqual([]);
  });

  test("with an access token that has expired, if the host gets the means to renew it", () => {
    expect(verify({ expiresAt: FAKE_NOW - MINUTE }, "full-login").notes).toEqual([
      "the access token has expired; the host renews it when it is first asked",
    ]);
  });

  test("with little time left, if that is allowed", () => {
    const { notes } = verify({ expiresAt: FAKE_NOW + MINUTE }, "access-token", true);
    expect(notes).toEqual([]);
  });

  test.each([
    [7 * DAY, "7 days"],
    [3 * DAY, "3 days"],
    [30 * 60 * MINUTE, "30 h"],
    [20 * MINUTE, "20 min"],
  ])("with %d ms until the login deadline, which is said", (left, span) => {
    expect(verify({ refreshTokenExpiresAt: FAKE_NOW + left }).notes).toEqual([
      `this login ends in ${span}: before that, run \`claude\` and type \`/login\``,
    ]);
  });

  test("without the block around it, which is said", () => {
    const { notes } = verifyText(JSON.stringify(loginBlock(FAKE_NOW)));
    expect(notes).toEqual([expect.stringContaining("f has no `claudeAiOauth` around its login")]);
  });

  test("in hexadecimal digits, which is said", () => {
    const { notes } = verifyText(Buffer.from(credentialsFile(FAKE_NOW)).toString("hex"));
    expect(notes).toEqual([
      "f is in hexadecimal digits, as the Keychain prints it, and was decoded",
    ]);
  });
});

describe("every other state is refused by name", () => {
  test.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    [
      "blanked",
      { accessToken: "", refreshToken: "", expiresAt: 0 },
      { code: "CREDENTIALS_BLANKED", message: "the login in f was cleared", next: [LOG_IN] },
    ],
    ["blanked by its date alone", { expiresAt: 0 }, { code: "CREDENTIALS_BLANKED" }],
    ["no scopes", { scopes: undefined }, { code: "CREDENTIALS_NO_INFERENCE" }],
    ["null scopes", { scopes: null }, { code: "CREDENTIALS_NO_INFERENCE" }],
    ["other scopes", { scopes: ["user:profile"] }, { code: "CREDENTIALS_NO_INFERENCE" }],
    [
      "scopes that are no list",
      { scopes: "user:inference" },
      {
        code: "CREDENTIALS_MALFORMED",
        why: "`claudeAiOauth.scopes` must be a list of texts",
      },
    ],
    [
      "seconds",
      { expiresAt: FAKE_NOW / 1000 + 3600 },
      { code: "CREDENTIALS_MALFORMED", message: "f counts time in seconds" },
    ],
    [
      "a login deadline in seconds",
      { refreshTokenExpiresAt: FAKE_NOW / 1000 },
      { code: "CREDENTIALS_MALFORMED" },
    ],
    [
      "no expiry",
      { expiresAt: undefined },
      { code: "CREDENTIALS_MALFORMED", message: "f does not say when its login expires" },
    ],
    [
      "a placeholder",
      { accessToken: "moat-proxy-injected" },
      { code: "CREDENTIALS_PLACEHOLDER", message: "the login in f is a stand-in" },
    ],
    ["a date of proxies", { expiresAt: Date.UTC(2100, 0) }, { code: "CREDENTIALS_PLACEHOLDER" }],
    [
      "a login at its deadline",
      { refreshTokenExpiresAt: FAKE_NOW },
      { code: "CREDENTIALS_LOGIN_OVER", next: [LOG_IN] },
    ],
    [
      "an expired access token",
      { expiresAt: FAKE_NOW - 65 * MINUTE },
      {
        code: "CREDENTIALS_EXPIRED",
        why: "it ended 65 min ago",
        next: [
          "Let Claude Code renew it: `sync-creds refresh`, then push again",
          "Or let the push do that: `--refresh auto`",
        ],
      },
    ],
    [
      "an expired access token that nothing can renew",
      { expiresAt: FAKE_NOW, refreshToken: "" },
      {
        code: "CREDENTIALS_EXPIRED",
        why: "it ended less than a minute ago, and without a refresh token nothing can renew it",
        next: [LOG_IN],
      },
    ],
    [
      "an access token that expires within half an hour",
      { expiresAt: FAKE_NOW + 30 * MINUTE - 1 },
      {
        code: "CREDENTIALS_EXPIRING",
        why: "it ends in 29 min; the host would be logged out then",
        next: [
          "In 25 min, run `sync-creds refresh`, then push again: Claude Code renews a login in its last 5 minutes",
          "For a token with its full time right now: run `claude` and type `/login`, then push again",
          "Or push it for the time it has: add `--allow-short-ttl`",
        ],
      },
    ],
    [
      "an access token that Claude Code would renew now",
      { expiresAt: FAKE_NOW + 4 * MINUTE },
      {
        code: "CREDENTIALS_EXPIRING",
        next: expect.arrayContaining([expect.stringMatching(/^Run `sync-creds refresh`/)]),
      },
    ],
  ])("%s", (_, different, error) => {
    expect(() => verify(different)).toThrow(expect.objectContaining(error));
  });

  test("an expired token does not pass because short ones may", () => {
    expect(() => verify({ expiresAt: FAKE_NOW }, "access-token", true)).toThrow(
      expect.objectContaining({ code: "CREDENTIALS_EXPIRED" }),
    );
  });

  test("a hand-over without a refresh token", () => {
    expect(() => verify({ refreshToken: undefined }, "full-login")).toThrow(
      expect.objectContaining({ code: "CREDENTIALS_NOT_RENEWABLE" }),
    );
  });

  test.each([
    ["", "CREDENTIALS_MALFORMED", "f is empty"],
    ["\uFEFF{}", "CREDENTIALS_MALFORMED", "f begins with a byte order mark"],
    ['{"claudeAiOauth":{', "CREDENTIALS_MALFORMED", "f ends in the middle"],
    ["CANARY", "CREDENTIALS_MALFORMED", "f is not JSON"],
    ['["CANARY"]', "CREDENTIALS_MALFORMED", "f holds no JSON object"],
    ['{"access_token":"CANARY"}', "CREDENTIALS_MALFORMED", "f holds a login of another program"],
    [
      '{"claude_ai_oauth":{"a":"CANARY"}}',
      "CREDENTIALS_MALFORMED",
      "f holds a login in another program's form",
    ],
    ['{"mcpOAuth":{"a":"CANARY"}}', "CREDENTIALS_MCP_ONLY", "f holds logins of MCP servers only"],
    ['{"primaryApiKey":"CANARY"}', "CREDENTIALS_NOT_FOUND", "f holds an API key and no login"],
    ["{}", "CREDENTIALS_NOT_FOUND", "f holds no login"],
  ])("the file %j", (text, code, message) => {
    const error = failureOf(() => verifyText(text));

    expect(error).toMatchObject({
      code,
      message,
      next: expect.arrayContaining([expect.anything()]),
    });
    expect(inspect(error)).not.toContain("CANARY");
  });
});

function verify(
  different: Record<string, unknown>,
  delivery: Delivery = "access-token",
  allowShortTtl = false,
) {
  const credentials = parseCredentials(Buffer.from(credentialsFile(FAKE_NOW, different)), "f");
  return verifyLogin(credentials, delivery, FAKE_NOW, { allowShortTtl });
}

function verifyText(text: string) {
  return verifyLogin(parseCredentials(Buffer.from(text), "f"), "access-token", FAKE_NOW);
}

function failureOf(work: () => unknown): Error {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof Error) return thrown;
  }
  throw new Error("nothing was thrown");
}
