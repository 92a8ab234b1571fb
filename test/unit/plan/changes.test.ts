import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fingerprintOf } from "../../../src/credentials/fingerprint.ts";
import { describeHostLogin, mergeCredentials } from "../../../src/plan/changes.ts";
import { Secret } from "../../../src/secret.ts";

const BLOCK = '{"accessToken":"sk-ant-oat01-NEW","scopes":["user:inference"]}';
const block = new Secret(BLOCK);

const merge = (file: string | Buffer | undefined) => {
  const merged = mergeCredentials(typeof file === "string" ? Buffer.from(file) : file, block);
  return { ...merged, content: merged.content.reveal() };
};

const loginIn = (content: unknown) =>
  describeHostLogin(Buffer.from(typeof content === "string" ? content : JSON.stringify(content)));
const nameOf = (token: string) => fingerprintOf(new Secret(token));

describe("merging", () => {
  test("where there is no file, one with our block alone appears", () => {
    const { content, why } = merge(undefined);
    expect(content).toBe(`{"claudeAiOauth":${BLOCK}}\n`);
    expect(why).toBeUndefined();
  });

  test.each([
    ["the block alone", '{"claudeAiOauth":{"accessToken":"old"}}', `{"claudeAiOauth":${BLOCK}}`],
    ["an empty object", "{}", `{"claudeAiOauth":${BLOCK}}`],
    [
      "a block between others",
      '{\r\n\t"a" : 1,\r\n\t"claudeAiOauth" : { "accessToken" : "old" } ,\r\n\t"ü" : [ ] }\r\n',
      `{\r\n\t"a" : 1,\r\n\t"claudeAiOauth" : ${BLOCK} ,\r\n\t"ü" : [ ] }\r\n`,
    ],
    [
      "a block that is no object",
      '{"claudeAiOauth":null,"mcpOAuth":{}}',
      `{"claudeAiOauth":${BLOCK},"mcpOAuth":{}}`,
    ],
    [
      "another block of the same name deeper down",
      '{"mcpOAuth":{"claudeAiOauth":{"accessToken":"theirs"}},"claudeAiOauth":{}}',
      `{"mcpOAuth":{"claudeAiOauth":{"accessToken":"theirs"}},"claudeAiOauth":${BLOCK}}`,
    ],
    [
      "a text that looks like the key",
      '{"a":"\\"claudeAiOauth\\":{","claudeAiOauth":{},"b":"}"}',
      `{"a":"\\"claudeAiOauth\\":{","claudeAiOauth":${BLOCK},"b":"}"}`,
    ],
    [
      "a key that is spelt with an escape",
      String.raw`{"claude\u0041iOauth":{"accessToken":"old"}}`,
      String.raw`{"claude\u0041iOauth":${BLOCK}}`,
    ],
  ])("%s", (_, file, expected) => {
    const { content, why } = merge(file);
    expect(content).toBe(expected);
    expect(why).toBeUndefined();
  });

  test.each([
    ["an empty file", ""],
    ["a file of spaces", " \n"],
    ["half a file", '{"claudeAiOauth":{"accessTok'],
    ["no JSON", "hello"],
    ["JSON with a comment", '{"a":1} // mine'],
    ["a byte order mark", '\uFEFF{"mcpOAuth":{}}'],
    ["a list", "[]"],
    ["a text", '"claudeAiOauth"'],
    ["null", "null"],
    ["not UTF-8", Buffer.from([0x7b, 0xff, 0x7d])],
  ])("what Claude Code could not read is replaced whole, and that is said: %s", (_, file) => {
    const { content, why } = merge(file);
    expect(content).toBe(`{"claudeAiOauth":${BLOCK}}\n`);
    expect(why).toMatch(/^it /);
  });
});

describe("for any file that is a JSON object", () => {
  const space = fc
    .array(fc.constantFrom(" ", "\t", "\n", "\r\n"), { maxLength: 3 })
    .map((parts) => parts.join(""));
  const deep = fc.constant(
    '{ "claudeAiOauth": {"accessToken": "theirs"}, "l": ["claudeAiOauth", "}"] }',
  );
  const value = fc.oneof(fc.json(), deep);
  const key = fc
    .oneof(fc.string({ unit: "grapheme" }), fc.constantFrom("mcpOAuth", "pluginSecrets", "}"))
    .filter((name) => name !== "claudeAiOauth");
  const member = fc
    .tuple(space, key, space, space, value, space)
    .map(([a, name, b, c, text, d]) => `${a}${JSON.stringify(name)}${b}:${c}${text}${d}`);
  const members = fc.array(member, { maxLength: 4 });

  test("all but the block stays byte for byte, wherever the block stands", () => {
    fc.assert(
      fc.property(
        members,
        members,
        fc.tuple(space, space, space, space, space, space),
        value,
        (before, after, [lead, a, b, c, d, tail], old) => {
          const head = `${lead}{${before.map((each) => `${each},`).join("")}${a}"claudeAiOauth"${b}:${c}`;
          const rest = `${d}${after.map((each) => `,${each}`).join("")}}${tail}`;
          const { content, why } = merge(`${head}${old}${rest}`);
          expect(content).toBe(`${head}${BLOCK}${rest}`);
          expect(why).toBeUndefined();
        },
      ),
    );
  });

  test("without a block, one is added and every byte of the rest stays", () => {
    fc.assert(
      fc.property(members, space, space, space, (some, lead, inside, tail) => {
        const body = some.length === 0 ? inside : some.join(",");
        const file = `${lead}{${body}}${tail}`;
        const { content } = merge(file);
        expect(JSON.parse(content)).toEqual({
          ...JSON.parse(file),
          claudeAiOauth: JSON.parse(BLOCK),
        });
        const added = content.indexOf(BLOCK);
        const without = [content.slice(0, added), content.slice(added + BLOCK.length)].join("");
        expect(without.replace(/"claudeAiOauth":,?/, "")).toBe(file);
      }),
    );
  });

  test("merging again changes nothing", () => {
    const anyFile = fc.oneof(
      fc.json().map((text) => Buffer.from(text)),
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      members.map((some) => Buffer.from(`{${some.join(",")}}`)),
    );
    fc.assert(
      fc.property(anyFile, (file) => {
        const once = merge(file);
        expect(merge(once.content)).toMatchObject({ content: once.content });
        expect(JSON.parse(once.content).claudeAiOauth).toEqual(JSON.parse(BLOCK));
      }),
    );
  });
});

describe("the login on a host", () => {
  test("is absent without a file", () => {
    expect(describeHostLogin(undefined)).toEqual({ state: "absent" });
  });

  test.each([
    ["an empty file", "", "corrupt"],
    ["half a file", '{"claudeAiOauth":', "corrupt"],
    ["a byte order mark", '\uFEFF{"claudeAiOauth":{"accessToken":"a"}}', "corrupt"],
    ["a list", "[]", "corrupt"],
    ["an empty object", {}, "no-login"],
    ["logins of MCP servers", { mcpOAuth: {} }, "no-login"],
    ["a flat login, which Claude Code does not read", { accessToken: "a" }, "no-login"],
    ["a block that is null", { claudeAiOauth: null }, "no-login"],
    [
      "a cleared block",
      { claudeAiOauth: { accessToken: "", refreshToken: "", expiresAt: 0, scopes: [] } },
      "blanked",
    ],
    ["a block without tokens", { claudeAiOauth: {} }, "blanked"],
  ])("%s", (_, content, state) => {
    expect(loginIn(content)).toEqual({ state });
  });

  test("is named by fingerprints alone", () => {
    const claudeAiOauth = { accessToken: "one", refreshToken: "two", expiresAt: 7 };
    expect(loginIn({ claudeAiOauth })).toEqual({
      state: "login",
      fingerprint: nameOf("one"),
      refreshFingerprint: nameOf("two"),
      expiresAt: 7,
    });
  });

  test.each([
    ["without a refresh token", { accessToken: "one" }],
    ["with a null refresh token", { accessToken: "one", refreshToken: null }],
    ["with an empty refresh token", { accessToken: "one", refreshToken: "" }],
    ["with a date that is none", { accessToken: "one", expiresAt: "tomorrow" }],
    ["with scopes that are none", { accessToken: "one", scopes: "user:inference" }],
  ])("may be alive %s", (_, claudeAiOauth) => {
    expect(loginIn({ claudeAiOauth })).toEqual({ state: "login", fingerprint: nameOf("one") });
  });

  test("counts as one as long as something can renew it", () => {
    expect(loginIn({ claudeAiOauth: { accessToken: "", refreshToken: "two" } })).toMatchObject({
      state: "login",
      refreshFingerprint: nameOf("two"),
    });
  });

  test("has a state whatever the bytes, and never a token in it", () => {
    const token = "sk-ant-oat01-CANARYcanary";
    const file = fc.oneof(
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      fc.json().map((text) => Buffer.from(text)),
      fc
        .json()
        .map((text) =>
          Buffer.from(`{"claudeAiOauth":{"accessToken":"${token}","refreshToken":${text}}}`),
        ),
    );
    fc.assert(
      fc.property(file, (bytes) => {
        expect(JSON.stringify(describeHostLogin(bytes))).not.toContain("CANARY");
      }),
    );
  });
});
