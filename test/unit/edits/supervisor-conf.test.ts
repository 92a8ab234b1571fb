import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findEnvironment, removeFromEnvironment } from "../../../src/edits/supervisor-conf.ts";

const KEY = "ANTHROPIC_API_KEY";
const TOKEN = "CLAUDE_CODE_OAUTH_TOKEN";
const NAMES = [KEY, TOKEN];
const API = "sk-ant-api03-CANARY";
const OAT = "sk-ant-oat01-CANARY";
const SECTION = "program:wrapper";

const conf = (environment: string) =>
  `[supervisord]\nenvironment=${KEY}="not ours"\n\n[${SECTION}]\ncommand=/srv/run\n${environment}\nautorestart=true\n\n[program:other]\nenvironment=${KEY}="theirs"\n`;
const find = (text: string) => {
  const read = findEnvironment(text, SECTION, NAMES);
  return read.kind === "variables" ? read.variables : read.kind;
};

describe("a variable is found", () => {
  test.each<[string, string, number, string]>([
    ["alone", `environment=${KEY}="${API}"`, 6, "api-key"],
    ["without quotes", `environment=A=1,${KEY}=${API}`, 6, "api-key"],
    ["in single quotes", `environment = A = "1" , ${KEY} = '${OAT}'`, 6, "oauth-token"],
    ["behind a colon, the option in capitals", `ENVIRONMENT: ${KEY}="${API}"`, 6, "api-key"],
    ["empty", `environment=${KEY}="",A=1`, 6, "empty"],
    ["with an expansion", `environment=A=%(ENV_HOME)s/x,${KEY}=%(ENV_KEY)s`, 6, "set"],
    ["behind a comma in quotes", `environment=A="1,${TOKEN}=2",${KEY}="x"`, 6, "set"],
    ["on a line of its own", `environment=\n  A="1",\n  ${KEY}="${API}",`, 8, "api-key"],
    ["behind a comment", `environment=\n; ${TOKEN}=1\n  ; x\n\n  ${KEY}=${API} ; y`, 10, "api-key"],
    ["behind a value of two lines", `environment=A="1\n  2",\n  ${KEY}="${API}"`, 8, "api-key"],
    ["by its last assignment", `environment=${KEY}=1,\n ${KEY}="${API}"`, 7, "api-key"],
  ])("%s", (_, environment, line, value) => {
    const all = [conf(environment), conf(environment).replaceAll("\n", "\r\n")];
    for (const text of all) expect(find(text)).toEqual([{ name: KEY, line, value }]);
  });

  test.each([
    ["another section", ""],
    ["a comment", `;environment=${KEY}=1`],
    ["a longer name", `environment=MY_${KEY}=1`],
    ["another option's continued line", `command=x\n  environment=${KEY}=1`],
    ["an empty environment", "environment="],
  ])("but not in %s", (_, environment) => {
    expect(find(conf(environment))).toEqual([]);
  });

  test("in an indented option, up to the next one at its side", () => {
    const text = (last: string) => `[${SECTION}]\n  environment=A=1,\n${last}`;
    expect(find(text(`    ${KEY}=1`))).toMatchObject([{ line: 3 }]);
    expect(find(text(`  ${KEY}=1`))).toEqual([]);
  });

  test("in a section that is opened twice", () => {
    const text = `[${SECTION}]\ncommand=x\n[b]\n[${SECTION}]\nenvironment=${KEY}=1`;
    expect(find(text)).toMatchObject([{ line: 5 }]);
  });
});

describe("a file is left alone that has", () => {
  // What supervisord 4.2.5 refuses was tried with its own parser.
  test.each([
    ["an open quote", `environment=A="1,${KEY}=2`],
    ["a comment sign inside quotes", `environment=A="1 ; 2",${KEY}=2`],
    ["a quote inside a word", `environment=A=a"b,c"d,${KEY}=2`],
    ["no comma between two", `environment=A="1" ${KEY}="2"`],
    ["a comma too many", `environment=,${KEY}="2"`],
    ["a value missing", `environment=A=,${KEY}=1`],
    ["a sign that needs quotes", `environment=A=a@b,${KEY}=1`],
    ["a line that is no option", `environment=${KEY}=1\nhello`],
    ["two environments", `environment=A=1\nenvironment=${KEY}=1`],
  ])("%s", (_, environment) => {
    expect(find(conf(environment))).toBe("unclear");
    expect(() => removeFromEnvironment(conf(environment), SECTION, NAMES)).toThrow("unclear");
  });

  test("bytes of zero", () => {
    expect(find(conf("\0"))).toBe("nul");
  });

  test("no such section", () => {
    expect(find("[program:other]\nenvironment=A=1\n")).toBe("no-section");
    expect(find("")).toBe("no-section");
  });
});

describe("removing", () => {
  test.each([
    ["the only one", `environment=${KEY}="1"`, "environment="],
    ["the first", `environment=${KEY}="1", A=1`, "environment=A=1"],
    ["the middle one", `environment=A=1,${KEY}="1",B='2'`, "environment=A=1,B='2'"],
    ["the last", `environment=A=1, ${KEY}="1" ; note`, "environment=A=1 ; note"],
    ["the first before a comment", `environment=${KEY}=1, ; x\n  A=1`, "environment= ; x\n  A=1"],
    ["the last before a comma", `environment=A=1,${KEY}="1",`, "environment=A=1,"],
    ["all", `environment=${KEY}=1,A=1,${TOKEN}=2,${KEY}=3`, "environment=A=1"],
    [
      "a line",
      `environment=\n  A="1",\n  ${KEY}="${API}",\n  B="2"`,
      'environment=\n  A="1",\n  B="2"',
    ],
    ["the last line", `environment=\n  A="1",\n  ${KEY}="${API}"`, 'environment=\n  A="1",'],
    ["the option's own line stays", `environment=${KEY}="1",\n  B="2"`, 'environment=\n  B="2"'],
    [
      "a comment stays",
      `environment=\n  ; the key\n  ${KEY}="1", ; of Bob\n  B=2`,
      "environment=\n  ; the key\n   ; of Bob\n  B=2",
    ],
    [
      "with commas in front",
      `environment=A=1\n  ,${KEY}="1"\n  ,B=2`,
      "environment=A=1\n  ,\n  B=2",
    ],
    [
      "a value of two lines",
      `environment=\n  A=1,\n  ${KEY}="1\n  2",\n  B=2`,
      "environment=\n  A=1,\n  B=2",
    ],
  ])("%s", (_, before, after) => {
    expect(removeFromEnvironment(conf(before), SECTION, NAMES)).toBe(conf(after));
    const windows = (text: string) => conf(text).replaceAll("\n", "\r\n");
    expect(removeFromEnvironment(windows(before), SECTION, NAMES)).toBe(windows(after));
  });
});

test("for any layout: what is removed is gone, the others stay what they were", () => {
  const gap = fc.constantFrom("", " ", "\n  ", "\r\n\t", " ; x\n  ", "\n; x\n\n ");
  const name = fc.constantFrom("A", "B", KEY, TOKEN);
  const value = fc.constantFrom("1", '"2,3"', "'4'", '""', "%(here)s/x", '"5\n  6"');
  const entry = fc.tuple(gap, name, value, gap);
  const others = (text: string) => {
    const read = findEnvironment(text, SECTION, ["A", "B"]);
    return read.kind === "variables" ? read.variables.map(({ name: n, value: v }) => [n, v]) : read;
  };
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 5 }), (entries) => {
      const text = conf(
        `environment=${entries.map(([a, n, v, b]) => `${a}${n}=${v}${b}`).join(",")}`,
      );
      const left = removeFromEnvironment(text, SECTION, NAMES);
      expect(find(left)).toEqual([]);
      expect(others(left)).toEqual(others(text));
    }),
  );
});
