import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Answer } from "../../../src/remote/frames.ts";
import { parseProbe, parseShadows, parseWrapper } from "../../../src/remote/probe-report.ts";
import { explainRestart, parseRestart } from "../../../src/remote/restart-report.ts";

/** An answer as the remote half prints it, one fact a line. */
function answerOf(text: string): Answer {
  const lines = text.split("\n").map((line) => line.trim());
  return new Answer(
    lines
      .filter((line) => line !== "")
      .map((line) => ({
        key: line.slice(0, line.indexOf("=")),
        value: line.slice(line.indexOf("=") + 1),
      })),
  );
}

describe("the answer to a probe", () => {
  test("of a host where everything is found", () => {
    const answer = answerOf(`
      user=uid=1001(deploy) gid=1001(deploy) groups=1001(deploy),27(sudo)
      home=/home/deploy
      clock=1767225600
      dir=/home/deploy/.claude
      home.is=directory drwxr-xr-x 1001 9
      dir.is=directory drwx------ 1001 3
      file.is=file -rw------- 1001 1
      hex=7b7d0a
      free=1048576
      wrapper=4711 88231 1001 90210
      unit=active
      env=ANTHROPIC_API_KEY api-key
      foreign=no
      setting=apiKeyHelper
      directory=directory
      claude=2.1.330
      lock=a1b2 ben@desk
      pending=ann@laptop`);
    expect(parseProbe(answer)).toEqual({
      user: "deploy",
      uid: 1001,
      home: "/home/deploy",
      configDir: "/home/deploy/.claude",
      homeEntry: { kind: "directory", mode: "drwxr-xr-x", uid: 1001, links: 9 },
      dirEntry: { kind: "directory", mode: "drwx------", uid: 1001, links: 3 },
      fileEntry: { kind: "file", mode: "-rw-------", uid: 1001, links: 1 },
      file: Buffer.from("{}\n"),
      freeKiB: 1_048_576,
      clock: 1_767_225_600_000,
      missing: [],
      wrapper: { pid: 4711, start: "88231", uid: 1001 },
      unit: "active",
      foreign: false,
      directory: "directory",
      shadows: [
        { name: "ANTHROPIC_API_KEY", place: "process", value: "api-key" },
        { name: "apiKeyHelper", place: "settings.json", value: "set" },
      ],
      claudeVersion: "2.1.330",
      lockedBy: "a1b2 ben@desk",
      leftover: "ann@laptop",
    });
  });

  test("of a host where nothing is there yet", () => {
    const answer = answerOf(`
      user=uid=0(root) gid=0(root)
      home=/root
      clock=1767225600
      missing=sha256sum
      dir=/root/.claude
      home.is=directory drwx------ 0 3
      dir.is=absent
      file.is=absent`);
    const absent = { kind: "absent", mode: "", uid: -1, links: 0 };
    expect(parseProbe(answer)).toMatchObject({
      user: "root",
      uid: 0,
      dirEntry: absent,
      fileEntry: absent,
      file: undefined,
      freeKiB: undefined,
      missing: ["sha256sum"],
      wrapper: undefined,
      unit: undefined,
      foreign: false,
      shadows: [],
      lockedBy: undefined,
      leftover: undefined,
    });
  });

  test("an empty file is not an absent one", () => {
    expect(parseProbe(answerOf("hex=")).file).toEqual(Buffer.alloc(0));
  });

  test("an account without a name, or without an answer, is nobody's", () => {
    expect(parseProbe(answerOf("user=uid=1001 gid=1001"))).toMatchObject({ user: "?", uid: -1 });
    expect(parseProbe(answerOf(""))).toMatchObject({ user: "?", uid: -1 });
  });

  test("a kind of entry that is not known is `other`", () => {
    expect(parseProbe(answerOf("file.is=socket srw------- 0 1")).fileEntry.kind).toBe("other");
  });

  test("words of the host are fit for a terminal", () => {
    const report = parseProbe(
      answerOf(`
        user=uid=1(ev\u001B[31mil)
        claude=2.1\u0007
        lock=a1 ben\u202E@desk
        pending=ann\u001B]0;x\u0007
        unit=act\u0000ive
        directory=dir\u009Bectory
        missing=sha\u001Bsum
        home.is=file \u001B[2J 1 1
        env=A\u001BB set
        setting=api\u0007Key`),
    );
    const { home: _home, configDir: _configDir, ...shown } = report;
    // JSON spells such characters with escapes.
    expect(JSON.stringify(shown)).not.toMatch(/\\u|[\u007F-\u009F\u202E]/);
    expect(report).toMatchObject({ lockedBy: "a1 ben @desk", claudeVersion: "2.1" });
  });

  test("whatever is answered, there is a report", () => {
    const keys = ["user", "home", "hex", "free", "clock", "wrapper", "env", "file.is", "dir.is"];
    const facts = fc.array(fc.record({ key: fc.constantFrom(...keys), value: fc.string() }));
    fc.assert(
      fc.property(facts, (some) => {
        const report = parseProbe(new Answer(some));
        expect(["absent", "file", "directory", "link", "other"]).toContain(report.fileEntry.kind);
      }),
    );
  });
});

test.each([
  ["wrapper=4711 88231 1001 90210", { pid: 4711, start: "88231", uid: 1001 }],
  ["wrapper=? ? 1001 90210", { pid: undefined, start: undefined, uid: 1001 }],
  ["wrapper=4711 88231 ? ?", { pid: 4711, start: "88231", uid: undefined }],
  ["", undefined],
])("the process %j", (line, expected) => {
  expect(parseWrapper(answerOf(line))).toEqual(expected);
});

describe("what outranks the file", () => {
  test.each([
    ["env=ANTHROPIC_API_KEY api-key", "api-key"],
    ["env=ANTHROPIC_API_KEY set", "set"],
    ["env=CLAUDE_CODE_OAUTH_TOKEN oauth-token", "oauth-token"],
    ["env=CLAUDE_CODE_USE_BEDROCK something-new", "set"],
  ])("%s", (line, value) => {
    expect(parseShadows(answerOf(line))).toMatchObject([{ place: "process", value }]);
  });

  test.each([
    ["an empty variable", "env=ANTHROPIC_API_KEY empty"],
    ["another address of the API", "env=ANTHROPIC_BASE_URL set"],
    ["an environment that may not be read", "env=?"],
    ["nothing", ""],
  ])("%s does not", (_, line) => {
    expect(parseShadows(answerOf(line))).toEqual([]);
  });

  test("a setting that stands twice is named once", () => {
    expect(parseShadows(answerOf("setting=apiKeyHelper\nsetting=apiKeyHelper"))).toHaveLength(1);
  });
});

describe("the answer to a restart", () => {
  test("of a wrapper that came up", () => {
    expect(parseRestart(answerOf("wrapper=4712 88400 1001 1"))).toEqual({
      failure: undefined,
      wrapper: { pid: 4712, start: "88400", uid: 1001 },
      shadows: [],
      log: [],
    });
  });

  test("of one that did not: reason, details and log are fit for a terminal", () => {
    const answer = answerOf(
      "fail=exited\ndetail=status 1\ndetail=\u001B[31mbad\u001B[0m\nlog=sk-ant-oat01-abcdefgh\u0007",
    );
    expect(parseRestart(answer)).toMatchObject({
      failure: { reason: "exited", detail: "status 1 bad" },
      log: ["[redacted]"],
    });
  });

  const reasons = [
    "exited",
    "not-listening",
    "same-process",
    "unstable",
    "hangs",
    "port-taken",
    "foreign",
    "command",
  ];
  test("each reason has words of its own and a next step", () => {
    const explained = reasons.map((reason) => explainRestart(reason, "detail"));
    expect(new Set(explained.map(({ why }) => why)).size).toBe(reasons.length);
    expect(explained.every(({ next }) => next !== "")).toBe(true);
  });
});
