import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findVariables, removeVariables, setVariable } from "../../../src/edits/env-file.ts";

const KEY = "ANTHROPIC_API_KEY";
const TOKEN = "CLAUDE_CODE_OAUTH_TOKEN";
const NAMES = [KEY, TOKEN];
const API = "sk-ant-api03-CANARY";
const NEW = "sk-ant-api03-CANARY-NEW";
const OAT = "sk-ant-oat01-CANARY";

const found = (text: string) => {
  const read = findVariables(text, NAMES);
  return read.kind === "variables" ? read.variables : read;
};

describe("a variable is found", () => {
  test.each<[string, string, number, string]>([
    ["as systemd writes it", `A=1\n${KEY}=${API}\n`, 2, "api-key"],
    ["without a final newline", `${KEY}=${API}`, 1, "api-key"],
    ["with Windows line ends", `A=1\r\n\r\n${KEY}=${API}\r\nB=2\r\n`, 3, "api-key"],
    ["in double quotes", `${KEY}="${API}"`, 1, "api-key"],
    ["in single quotes", `${KEY}='${OAT}'`, 1, "oauth-token"],
    ["in backticks, as dotenv has them", `${KEY}=\`${OAT}\``, 1, "oauth-token"],
    ["exported", `  export\t${KEY}=${OAT}`, 1, "oauth-token"],
    ["exported after it is set", `${KEY}=${API}; export ${KEY}\n`, 1, "api-key"],
    ["with blanks around the sign", `${KEY} = ${API}`, 1, "api-key"],
    ["with a comment behind it", `${KEY}=${API} # mine`, 1, "api-key"],
    ["empty", `${KEY}=\n`, 1, "empty"],
    ["empty in quotes", `${KEY}="" \n`, 1, "empty"],
    ["blank in quotes", `${KEY}='  '\n`, 1, "empty"],
    ["with a value of no known prefix", `${KEY}=hello`, 1, "set"],
    ["with a value that is looked up", `export ${KEY}=$(pass show key | head -n 1)`, 1, "set"],
    ["with a value of another variable", `${KEY}="\${OTHER:-}"`, 1, "set"],
    ["behind a quoted value of several lines", `A="1\n2\n"\n${KEY}=${API}`, 4, "api-key"],
    ["behind a continued line", `A=--one \\\n  --two\n${KEY}=${API}`, 3, "api-key"],
    ["behind an apostrophe", `A=don't\n${KEY}=${API}`, 2, "api-key"],
    ["behind an escaped quote", `A="\\"" \n${KEY}=${API}`, 2, "api-key"],
    ["behind something that is no assignment", `. ./more\nalias x="y\n${KEY}=${API}`, 3, "api-key"],
  ])("%s", (_, text, line, value) => {
    expect(found(text)).toEqual([{ name: KEY, line, value }]);
  });

  test("by its last assignment, in the order of the file", () => {
    expect(found(`${KEY}=${API}\n${TOKEN}=${OAT}\n${KEY}=\n`)).toEqual([
      { name: TOKEN, line: 2, value: "oauth-token" },
      { name: KEY, line: 3, value: "empty" },
    ]);
  });

  test.each([
    ["a comment", `# ${KEY}=${API}\n ; ${KEY}=${API}`],
    ["a longer name", `MY_${KEY}=${API}\n${KEY}_OLD=${API}`],
    ["a name that is passed on", `${KEY}\nexport ${KEY}\nunset ${KEY}`],
    ["nothing at all", ""],
  ])("but not in %s", (_, text) => {
    expect(found(text)).toEqual([]);
  });
});

describe("a file is left alone that has", () => {
  test.each<[string, string, string, number]>([
    ["bytes of zero", `A=1\n${KEY}=\0`, "nul", 2],
    ["an open quote", `A=1\nB="x\n${KEY}=${API}\n`, "unterminated", 2],
    ["an open quote around ours", `${KEY}='x\n`, "unterminated", 1],
    ["a last line that goes on", `A=1\nB=x\\\n`, "unterminated", 2],
    ["a comment that might go on", `A=1\n# x\\`, "unterminated", 2],
    ["ours inside a value of several lines", `A="x\n${KEY}=${API}\n"`, "unclear", 1],
    ["ours on a continued line", `\nDIR=C:\\\n${KEY}=${API}\n`, "unclear", 2],
    ["ours behind a comment that might go on", `# x\\\n${KEY}=${API}\n`, "unclear", 1],
    ["ours behind a command that goes on", `echo \\\n${KEY}=${API}\n`, "unclear", 1],
    ["ours beside another", `export A=1 ${KEY}=${API}\n`, "unclear", 1],
    ["another beside ours", `export ${KEY}=${API} A=1\n`, "unclear", 1],
    ["ours for one command", `${KEY}=${API} python3 wrapper.py\n`, "unclear", 1],
    ["ours behind a condition", `test -t 0 && export ${KEY}=${API}\n`, "unclear", 1],
    ["ours in the spelling of YAML", `${KEY}: ${API}\n`, "unclear", 1],
    ["ours behind a byte order mark", `\uFEFF${KEY}=${API}\n`, "unclear", 1],
    ["old Macintosh line ends", `A=1\r${KEY}=${API}\r`, "unclear", 1],
  ])("%s", (_, text, kind, line) => {
    expect(found(text)).toEqual({ kind, line });
    expect(() => removeVariables(text, NAMES)).toThrow(kind);
    expect(() => setVariable(text, KEY, API)).toThrow(kind);
  });
});

describe("removing", () => {
  test.each([
    ["the only line", `${KEY}=${API}`, ""],
    ["a line between others", `A=1\r\n${KEY}=${API}\r\nB=2`, "A=1\r\nB=2"],
    ["the last line", `A=1\n${KEY}=${API}`, "A=1\n"],
    ["every assignment", `${KEY}=1\nA=1\n export ${KEY}="2"\n${TOKEN}=3\n`, "A=1\n"],
    ["a value of several lines", `A=1\n${KEY}="x\ny"\nB=2\n`, "A=1\nB=2\n"],
    [
      "nothing of comments and blank lines",
      `\n#${KEY}=1\n\n${KEY}=${API}\n\n# end`,
      `\n#${KEY}=1\n\n\n# end`,
    ],
  ])("%s", (_, before, after) => {
    expect(removeVariables(before, NAMES)).toBe(after);
  });
});

describe("setting", () => {
  test.each([
    ["in an empty file", "", `${KEY}=${API}\n`],
    ["behind the others", "A=1\n", `A=1\n${KEY}=${API}\n`],
    ["behind a last line without end", "A=1", `A=1\n${KEY}=${API}\n`],
    ["with the file's line ends", "A=1\r\nB=2", `A=1\r\nB=2\r\n${KEY}=${API}\r\n`],
    ["exported, as all others are", "export A=1\n", `export A=1\nexport ${KEY}=${API}\n`],
    ["in place", `A=1\n${KEY}='old'\nB=2\n`, `A=1\n${KEY}=${API}\nB=2\n`],
    ["without a final newline, as it was", `${KEY}=old`, `${KEY}=${API}`],
    ["with Windows line ends in place", `${KEY}=old \r\nB=2`, `${KEY}=${API}\r\nB=2`],
    ["in place of the last one of two", `${KEY}=1\nA=1\n${KEY}=2\n`, `A=1\n${KEY}=${API}\n`],
    ["in place of an empty one", `export ${KEY}=\nB=2`, `export ${KEY}=${API}\nB=2`],
    ["without the comment behind it", `${KEY}= old # of Bob\nB=2`, `${KEY}=${API}\nB=2`],
    ["with the export behind it", `${KEY}=old; export ${KEY}\n`, `${KEY}=${API}; export ${KEY}\n`],
  ])("%s", (_, before, after) => {
    expect(setVariable(before, KEY, API)).toBe(after);
  });

  test.each(["", "a b", "a\nb", 'a"', "a'", "a$b", "a\\b", "a#b", "a`b", "a;b", "ä", "a\0"])(
    "a value that would need quotes throws, and is not shown: %j",
    (value) => {
      expect(() => setVariable("", KEY, value)).toThrow(/^not a value for an env file$/);
    },
  );

  test("a name that is none throws", () => {
    expect(() => setVariable("", "A B", "x")).toThrow("name");
  });
});

describe("for any text", () => {
  const line = fc.oneof(
    fc.string({ maxLength: 12 }),
    fc.constantFrom(
      "# comment",
      "# goes on\\",
      "A=1",
      'B="2"',
      "C='x",
      'D="',
      "E=x\\",
      `${KEY}=${API}`,
      `export ${KEY}="${OAT}"`,
      ` ${TOKEN}=`,
      `F=1 ${KEY}=2`,
      "\r",
    ),
  );
  const anyText = fc
    .array(fc.tuple(line, fc.constantFrom("\n", "\r\n", "")), { maxLength: 8 })
    .map((lines) => lines.flat().join(""));

  test("what is removed is gone, and the rest is the lines that there were", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        if (findVariables(text, NAMES).kind !== "variables") return;
        const left = removeVariables(text, NAMES);
        expect(found(left)).toEqual([]);
        expect(isSubsequence(left.split("\n"), text.split("\n"))).toBe(true);
        expect(removeVariables(left, NAMES)).toBe(left);
      }),
    );
  });

  test("what is set is there once, and nothing else has changed", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        if (findVariables(text, NAMES).kind !== "variables") return;
        const set = setVariable(text, KEY, NEW);
        const read = findVariables(set, [KEY]);
        expect(read).toMatchObject({ variables: [{ name: KEY, value: "api-key" }] });
        expect(set.split(NEW)).toHaveLength(2);
        expect(setVariable(set, KEY, NEW)).toBe(set);
        const others = removeVariables(text, [KEY]);
        expect(removeVariables(set, [KEY]).trimEnd()).toBe(others.trimEnd());
      }),
    );
  });
});

function isSubsequence(part: readonly string[], whole: readonly string[]): boolean {
  let at = 0;
  for (const item of whole) if (item === part[at]) at++;
  // The end of a text without a final newline is an empty last line.
  return at >= part.length - (part.at(-1) === "" ? 1 : 0);
}
