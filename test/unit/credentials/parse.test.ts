import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseCredentials } from "../../../src/credentials/parse.ts";
import type { Credentials } from "../../../src/credentials/parse.ts";
import { FAKE_NOW } from "../../support/fake-ports.ts";
import { ACCESS, REFRESH, credentialsFile, loginBlock } from "./a-credentials-file.ts";

const BLOCK = loginBlock(FAKE_NOW);
const FILE = credentialsFile(FAKE_NOW);

describe("a login", () => {
  test("is read with its tokens wrapped", () => {
    const { login, shape, hex } = parseLogin(FILE);

    expect([shape, hex]).toEqual(["wrapped", false]);
    expect(login.accessToken?.reveal()).toBe(ACCESS);
    expect(login.refreshToken?.reveal()).toBe(REFRESH);
    expect(login.expiresAt).toBe(BLOCK.expiresAt);
    expect(login.refreshTokenExpiresAt).toBe(BLOCK.refreshTokenExpiresAt);
    expect(login.scopes).toEqual(BLOCK.scopes);
    expect(JSON.stringify(login)).not.toContain("CANARY");
  });

  test("keeps its block as the file spells it", () => {
    const spelled = '{\r\n\t"scopes": [ ], "accessToken":"sk-\\u0061" ,"new": {"deep":1.50}}';
    const { login } = parseLogin(
      `{"mcpOAuth":{"claudeAiOauth":1},"claudeAiOauth" :  ${spelled}\n}`,
    );

    expect(login.block.reveal()).toBe(spelled);
  });

  test("that stands there twice counts by its last block, as it does for Claude Code", () => {
    const { login } = parseLogin(`{"claudeAiOauth":{"accessToken":"old"},${FILE.slice(1)}`);

    expect(login.accessToken?.reveal()).toBe(ACCESS);
    expect(JSON.parse(login.block.reveal())).toEqual(BLOCK);
  });

  test.each([
    ["absent", undefined],
    ["null", null],
    ["blank", ""],
  ])("has no refresh token when that is %s", (_, refreshToken) => {
    expect(parseLogin(credentialsFile(FAKE_NOW, { refreshToken })).login.refreshToken).toBe(
      undefined,
    );
  });

  test("has no access token when that is blank", () => {
    expect(parseLogin(credentialsFile(FAKE_NOW, { accessToken: "" })).login.accessToken).toBe(
      undefined,
    );
  });

  test("without the block around it is read, but of other keys nothing", () => {
    const { login, shape } = parseLogin(JSON.stringify({ ...BLOCK, mcpOAuth: { token: "x" } }));

    expect(shape).toBe("flat");
    expect(JSON.parse(login.block.reveal())).toEqual(BLOCK);
  });

  test("in hexadecimal digits is decoded", () => {
    const { login, hex } = parseLogin(`${Buffer.from(FILE).toString("hex")}\n`);

    expect(hex).toBe(true);
    expect(login.accessToken?.reveal()).toBe(ACCESS);
  });

  test.each(["sk-ant-oat01-placeholder", "moat-proxy-injected", "sk-ant-oat01-...", "PROXY"])(
    "%s is a placeholder",
    (accessToken) => {
      expect(parseLogin(credentialsFile(FAKE_NOW, { accessToken })).login.isPlaceholder).toBe(true);
    },
  );

  test("whose random letters spell a word is none", () => {
    const { login } = parseLogin(
      credentialsFile(FAKE_NOW, { accessToken: "sk-ant-oat01-xmoatPROXYx" }),
    );
    expect(login.isPlaceholder).toBe(false);
  });
});

describe("what holds no login is named", () => {
  test.each<[string, string | Uint8Array, Credentials["kind"]]>([
    ["nothing", "", "empty"],
    ["blanks", " \n", "empty"],
    ["a byte order mark before a good login", `\uFEFF${FILE}`, "bom"],
    ["UTF-16", Buffer.from(FILE, "utf16le").fill(0xff, 0, 1), "not-utf8"],
    ["a login cut in a token", FILE.slice(0, 40), "truncated"],
    ["a login cut before its last brace", FILE.slice(0, -1), "truncated"],
    ["a login cut behind a comma", '{"claudeAiOauth":{"scopes":[],', "truncated"],
    [
      "half of a login in hexadecimal digits",
      Buffer.from(FILE.slice(0, 50)).toString("hex"),
      "truncated",
    ],
    ["words", "hello", "not-json"],
    ["two objects", "{}{}", "not-json"],
    ["a comment", '{} // "note"', "not-json"],
    ["a trailing comma", '{"claudeAiOauth":{},}', "not-json"],
    ["a list", "[]", "not-object"],
    ["null", "null", "not-object"],
    ["digits", "42", "not-object"],
    ["a profile of another product", '{"version":1,"access_token":"x"}', "snake-case"],
    ["snake case inside the block", '{"claudeAiOauth":{"access_token":"x"}}', "snake-case"],
    ["another program's wrapping", '{"claude_ai_oauth":{}}', "foreign-wrapping"],
    ["MCP logins alone", '{"mcpOAuth":{}}', "mcp-only"],
    ["plugin secrets alone", '{"pluginSecrets":{},"claudeAiOauth":null}', "mcp-only"],
    ["a Console key", '{"primaryApiKey":"sk-ant-api03-CANARY"}', "api-key-only"],
    ["an empty object", "{}", "no-login"],
  ])("%s", (_, content, kind) => {
    expect(parseCredentials(Buffer.from(content), "f")).toEqual({ kind, place: "f" });
  });
});

describe("a value of the wrong type is named by place and type, never quoted", () => {
  test.each<[Record<string, unknown>, string, string]>([
    [{ scopes: "CANARY" }, "claudeAiOauth.scopes", "a list of texts"],
    [{ scopes: ["a", 7] }, "claudeAiOauth.scopes.1", "a list of texts"],
    [{ expiresAt: "1760207679715" }, "claudeAiOauth.expiresAt", "a whole number of milliseconds"],
    [{ expiresAt: -1 }, "claudeAiOauth.expiresAt", "a whole number of milliseconds"],
    [{ expiresAt: 1.5 }, "claudeAiOauth.expiresAt", "a whole number of milliseconds"],
    [{ accessToken: 7 }, "claudeAiOauth.accessToken", "text without spaces"],
    [{ accessToken: "CANARY\nX-Evil: 1" }, "claudeAiOauth.accessToken", "text without spaces"],
    [{ refreshToken: {} }, "claudeAiOauth.refreshToken", "text without spaces"],
  ])("%j", (different, path, expected) => {
    const parsed = parseCredentials(Buffer.from(credentialsFile(FAKE_NOW, different)));

    expect(parsed).toMatchObject({ kind: "wrong-types", problems: [{ path, expected }] });
    expect(JSON.stringify(parsed)).not.toContain("CANARY");
  });

  test("a block that is no object", () => {
    const parsed = parseCredentials(Buffer.from('{"claudeAiOauth":"CANARY"}'));
    expect(parsed).toMatchObject({ problems: [{ path: "claudeAiOauth", expected: "an object" }] });
  });
});

describe("any bytes", () => {
  test("have a kind, and are not quoted", () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), nearlyCredentials()), (bytes) => {
        expect(JSON.stringify(parseCredentials(bytes))).not.toContain("CANARY");
      }),
    );
  });

  test("that nest a million deep do not exhaust the stack", () => {
    const deep = "[".repeat(1e6) + "]".repeat(1e6);
    expect(parseCredentials(Buffer.from(deep)).kind).toBe("not-object");
    const flat = `{"accessToken":"a","scopes":${deep}}`;
    expect(parseCredentials(Buffer.from(flat)).kind).toBe("wrong-types");
    expect(parseLogin(`{"x":${deep},${FILE.slice(1)}`).login.accessToken?.reveal()).toBe(ACCESS);
  });
});

/** A credentials file with a piece cut out, doubled or replaced. */
function nearlyCredentials(): fc.Arbitrary<Uint8Array> {
  return fc
    .tuple(fc.nat(FILE.length), fc.nat(FILE.length), fc.string({ unit: "binary", maxLength: 4 }))
    .map(([from, to, between]) => Buffer.from(FILE.slice(0, from) + between + FILE.slice(to)));
}

function parseLogin(content: string): Extract<Credentials, { kind: "login" }> {
  const parsed = parseCredentials(Buffer.from(content));
  if (parsed.kind !== "login") throw new Error(`found ${parsed.kind}`);
  return parsed;
}
