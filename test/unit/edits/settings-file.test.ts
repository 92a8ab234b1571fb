import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  readSettings,
  removeSettings,
  withApiKeyHelper,
} from "../../../src/edits/settings-file.ts";

const KEY = "ANTHROPIC_API_KEY";
const TOKEN = "CLAUDE_CODE_OAUTH_TOKEN";
const API = "sk-ant-api03-CANARY";
const OAT = "sk-ant-oat01-CANARY";

const read = (text: string | Uint8Array) =>
  readSettings(typeof text === "string" ? Buffer.from(text) : text);

describe("reading", () => {
  test("finds the variables that matter and the helper, with their lines", () => {
    const text = `{\n  "model": "sonnet",\n  "env": {\n    "PATH": "/bin",\n    "${KEY}": "${API}",\n    "${TOKEN}": "${OAT}"\n  },\n  "apiKeyHelper": "/srv/key"\n}\n`;
    expect(read(text)).toEqual({
      kind: "settings",
      text,
      env: [
        { name: KEY, line: 5, value: "api-key" },
        { name: TOKEN, line: 6, value: "oauth-token" },
      ],
      apiKeyHelper: { line: 8, command: "other" },
    });
  });

  test.each<[string, string, unknown[]]>([
    ["an empty value", `{"env":{"${KEY}":""}}`, [{ name: KEY, line: 1, value: "empty" }]],
    ["a value that is no text", `{"env":{"${KEY}":1}}`, [{ name: KEY, line: 1, value: "set" }]],
    [
      "the last of two",
      `{"env":{"${KEY}":"${API}",\n"${KEY}":""}}`,
      [{ name: KEY, line: 2, value: "empty" }],
    ],
    ["the last `env`", `{"env":{"${KEY}":"${API}"},"env":{}}`, []],
    ["an `env` that is no object", `{"env":["${KEY}"]}`, []],
    ["an `env` deeper down", `{"a":{"env":{"${KEY}":"x"}}}`, []],
    ["no `env`", "{}", []],
  ])("of %s", (_, text, env) => {
    expect(read(text)).toEqual({ kind: "settings", text, env });
  });

  test.each([
    ["/home/ann/.claude/.sync-creds/api-key", "ours"],
    ["'/home/a b/.claude/.sync-creds/api-key'", "ours"],
    [`echo ${OAT}`, "oauth-token"],
    ['echo "$CLAUDE_CODE_OAUTH_TOKEN"', "oauth-token"],
    ["jq -r .claudeAiOauth.accessToken ~/x.json", "oauth-token"],
    ["cat ~/.claude/.credentials.json", "oauth-token"],
    [`echo ${API}`, "other"],
    ["pass show anthropic", "other"],
    [false, "other"],
  ])("a helper is classed by its command: %s", (apiKeyHelper, command) => {
    expect(read(JSON.stringify({ apiKeyHelper }))).toMatchObject({
      apiKeyHelper: { line: 1, command },
    });
  });

  test("an empty helper is none", () => {
    expect(read('{"apiKeyHelper":""}')).not.toHaveProperty("apiKeyHelper");
  });

  test.each([
    ["", "empty"],
    ["\uFEFF{}", "bom"],
    [Buffer.from([0x7b, 0xff, 0x7d]), "not-utf8"],
    ['{"env":{', "truncated"],
    ['{"a":1} // mine', "not-json"],
    ['{"a":1,}', "not-json"],
    ["[]", "not-object"],
    ["null", "not-object"],
  ])("what is no JSON object is left alone: %j", (text, kind) => {
    expect(read(text)).toEqual({ kind });
  });
});

describe("removing", () => {
  const all = { env: [KEY, TOKEN], apiKeyHelper: true };
  test.each([
    ["the only member", '{"apiKeyHelper":"x"}', "{}"],
    ["the only member on its line", '{\n  "apiKeyHelper": "x"\n}\n', "{}\n"],
    ["the first member", '{\n  "apiKeyHelper": "x",\n  "a": 1\n}', '{\n  "a": 1\n}'],
    ["the last member", '{\r\n\t"a": 1,\r\n\t"apiKeyHelper": "x"\r\n}', '{\r\n\t"a": 1\r\n}'],
    ["one on the same line", '{ "a": 1, "apiKeyHelper": "x", "b": 2 }', '{ "a": 1, "b": 2 }'],
    ["the last on the same line", '{ "a": 1, "apiKeyHelper": "x" }', '{ "a": 1 }'],
    [
      "with commas in front",
      '{ "a": 1\n, "apiKeyHelper": "x"\n, "b": 2\n}',
      '{ "a": 1\n, "b": 2\n}',
    ],
    ["one that stands there twice", '{"apiKeyHelper":1,"a":2,"apiKeyHelper":3}', '{"a":2}'],
    ["two in a row at the end", `{"env":{"a":1,"${KEY}":2,"${TOKEN}":3}}`, '{"env":{"a":1}}'],
    ["an escaped key", String.raw`{"api\u004beyHelper":1,"a":2}`, '{"a":2}'],
    [
      "from every `env`",
      `{"env":{"${KEY}":1},"env":{"${KEY}":2,"a":3}}`,
      '{"env":{},"env":{"a":3}}',
    ],
    [
      "a variable among others",
      `{\n  "env": {\n    "A": "1",\n    "${KEY}": "${API}",\n    "B": "2"\n  },\n  "apiKeyHelper": "x"\n}\n`,
      '{\n  "env": {\n    "A": "1",\n    "B": "2"\n  }\n}\n',
    ],
    [
      "nothing elsewhere",
      `{"a":{"apiKeyHelper":1,"env":{"${KEY}":2}}}`,
      `{"a":{"apiKeyHelper":1,"env":{"${KEY}":2}}}`,
    ],
    ["nothing from an `env` that is no object", `{"env":["${KEY}"]}`, `{"env":["${KEY}"]}`],
  ])("%s", (_, before, after) => {
    expect(removeSettings(before, all)).toBe(after);
  });

  test("only what is asked for", () => {
    const text = `{"env":{"${KEY}":1,"${TOKEN}":2},"apiKeyHelper":"x"}`;
    expect(removeSettings(text, {})).toBe(text);
    expect(removeSettings(text, { env: [TOKEN] })).toBe(`{"env":{"${KEY}":1},"apiKeyHelper":"x"}`);
    expect(removeSettings(text, { apiKeyHelper: true })).toBe(`{"env":{"${KEY}":1,"${TOKEN}":2}}`);
  });
});

describe("a helper is set", () => {
  test.each([
    ["in a new file", undefined, '{\n  "apiKeyHelper": "/x"\n}\n'],
    ["in an empty object", "{}\n", '{\n  "apiKeyHelper": "/x"\n}\n'],
    ["behind the others", '{\n\t"a": 1\n}\n', '{\n\t"a": 1,\n\t"apiKeyHelper": "/x"\n}\n'],
    [
      "with the file's line ends",
      '{\r\n    "a": {}\r\n}',
      '{\r\n    "a": {},\r\n    "apiKeyHelper": "/x"\r\n}',
    ],
    ["on the same line", '{"a":1}', '{"a":1,"apiKeyHelper":"/x"}'],
    ["on the same line, with spaces", '{ "a": 1 }', '{ "a": 1, "apiKeyHelper": "/x" }'],
    ["in place", '{"apiKeyHelper" : "old" ,"a":1}', '{"apiKeyHelper" : "/x" ,"a":1}'],
    [
      "in place of the one that counts",
      '{"apiKeyHelper":1,"apiKeyHelper":2}',
      '{"apiKeyHelper":1,"apiKeyHelper":"/x"}',
    ],
  ])("%s", (_, before, after) => {
    expect(withApiKeyHelper(before, "/x")).toBe(after);
  });
});

describe("for any settings", () => {
  const value = fc.oneof(fc.jsonValue(), fc.constant({ apiKeyHelper: 1, env: { [KEY]: "}" } }));
  const key = fc.oneof(fc.string(), fc.constantFrom("a", "}", "apiKeyHelper", KEY, TOKEN));
  const object = fc.dictionary(key, value, { maxKeys: 4 });
  const settings = fc
    .tuple(object, fc.option(object, { nil: undefined }), object)
    .map(([before, env, after]) => Object.assign({}, before, env && { env }, after));
  const text = fc
    .tuple(settings, fc.constantFrom(0, 2, "\t"), fc.boolean())
    .map(([object_, pad, isWindows]) => {
      const json = JSON.stringify(object_, undefined, pad);
      return isWindows ? `${json.replaceAll("\n", "\r\n")}\r\n` : json;
    });

  test("what is removed is gone, and the rest is what it was, in the same bytes", () => {
    fc.assert(
      fc.property(text, (before) => {
        const after = removeSettings(before, { env: [KEY, TOKEN], apiKeyHelper: true });
        const { apiKeyHelper: _, ...expected } = JSON.parse(before);
        if (expected.env !== undefined && !Array.isArray(expected.env)) {
          delete expected.env?.[KEY];
          delete expected.env?.[TOKEN];
        }
        expect(JSON.parse(after)).toEqual(expected);
        expect(isSubsequence(after, before)).toBe(true);
      }),
    );
  });

  test("a helper that is set is there, the rest is what it was, and it can be removed again", () => {
    fc.assert(
      fc.property(text, fc.string(), (before, command) => {
        const after = withApiKeyHelper(before, command);
        expect(JSON.parse(after)).toEqual({ ...JSON.parse(before), apiKeyHelper: command });
        if ("apiKeyHelper" in JSON.parse(before) || Object.keys(JSON.parse(before)).length === 0)
          return;
        expect(removeSettings(after, { apiKeyHelper: true })).toBe(before);
      }),
    );
  });
});

function isSubsequence(part: string, whole: string): boolean {
  let at = 0;
  for (const character of whole) if (part.startsWith(character, at)) at += character.length;
  return at === part.length;
}
