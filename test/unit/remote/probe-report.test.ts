import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ABSENT } from "../../../src/remote/host-files.ts";
import type { HostFile } from "../../../src/remote/host-files.ts";
import { Answer } from "../../../src/remote/frames.ts";
import { parseProbe, parseShadows, parseWrapper } from "../../../src/remote/probe-report.ts";
import { explainRestart, parseRestart } from "../../../src/remote/restart-report.ts";

/** An answer as the remote half prints it, one fact a line; `⏎` ends a line within one. */
function answerOf(text: string): Answer {
  const lines = text.split("\n").map((line) => line.trim());
  return new Answer(
    lines
      .filter((line) => line !== "")
      .map((line) => ({
        key: line.slice(0, line.indexOf("=")),
        value: line.slice(line.indexOf("=") + 1).replaceAll("⏎", "\n"),
      })),
  );
}

const FILE = {
  kind: "file",
  mode: "-rw-------",
  uid: 1001,
  links: 1,
  bytes: Buffer.from("{}\n"),
} as const;

describe("the answer to a probe", () => {
  test("of a host where everything is found", () => {
    const answer = answerOf(`
      user=uid=1001(deploy) gid=1001(deploy) groups=1001(deploy),27(sudo)
      home=/home/deploy
      clock=1767225600
      dir=/home/deploy/.claude
      home.is=directory /home/deploy
      dir.is=directory /home/deploy/.claude
      list=drwxr-xr-x  9 1001 1001 4096 Nov 24 22:00 /home/deploy⏎drwx------  3 1001 1001 4096 Nov 24 22:00 /home/deploy/.claude⏎-rw-------  1 1001 1001    3 Nov 24 22:00 /home/deploy/.claude/.credentials.json⏎lrwxrwxrwx  1 1001 1001    9 Nov 24 22:00 /home/deploy/.claude/settings.json -> elsewhere
      df=Filesystem 1024-blocks Used Available Capacity Mounted on⏎/dev/vda1  4194304 3145728  1048576      75% /
      wrapper=4711 88231 1001 90210
      unit=active
      env=ANTHROPIC_API_KEY api-key
      foreign=no
      project=/srv/my wrapper
      unread=unit-env-file /etc/default/wrapper
      var=unit 7 oauth-token CLAUDE_CODE_OAUTH_TOKEN /etc/systemd/system/my wrapper.service
      wiring=/etc/systemd/system/wrapper.service.d/zz-sync-creds.conf
      directory=directory
      claude=2.1.330
      lock=a1b2 ben@desk
      pending=ann@laptop
      last=20261124T220000Z\tsync-creds-a1b2c3d4\tcommitted\tann@laptop
      look=file /home/deploy/.claude/.credentials.json
      bytes=7b7d0a
      look=link /home/deploy/.claude/settings.json`);
    expect(parseProbe(answer)).toEqual({
      user: "deploy",
      uid: 1001,
      home: "/home/deploy",
      configDir: "/home/deploy/.claude",
      homeEntry: { kind: "directory", mode: "drwxr-xr-x", uid: 1001, links: 9 },
      dirEntry: { kind: "directory", mode: "drwx------", uid: 1001, links: 3 },
      fileEntry: FILE,
      file: Buffer.from("{}\n"),
      files: new Map<string, HostFile>([
        ["/home/deploy/.claude/.credentials.json", FILE],
        [
          "/home/deploy/.claude/settings.json",
          { kind: "link", mode: "lrwxrwxrwx", uid: 1001, links: 1, bytes: undefined },
        ],
      ]),
      project: "/srv/my wrapper",
      wiring: "/etc/systemd/system/wrapper.service.d/zz-sync-creds.conf",
      freeKiB: 1_048_576,
      boot: undefined,
      clock: 1_767_225_600_000,
      missing: [],
      wrapper: { pid: 4711, start: "88231", uid: 1001 },
      unit: "active",
      foreign: false,
      directory: "directory",
      environmentSeen: true,
      shadows: [
        { name: "ANTHROPIC_API_KEY", place: "process", value: "api-key" },
        {
          name: "CLAUDE_CODE_OAUTH_TOKEN",
          place: "unit",
          value: "oauth-token",
          path: "/etc/systemd/system/my wrapper.service",
          line: 7,
        },
      ],
      unread: ["/etc/default/wrapper"],
      claudeVersion: "2.1.330",
      lockedBy: "a1b2 ben@desk",
      leftover: "ann@laptop",
      lastRun: { at: "20261124T220000Z", run: "a1b2c3d4", ending: "committed", who: "ann@laptop" },
    });
  });

  test("of a host where nothing is there yet", () => {
    const answer = answerOf(`
      user=uid=0(root) gid=0(root)
      home=/root
      clock=1767225600
      missing=sha256sum
      dir=/root/.claude
      home.is=directory /root
      dir.is=absent /root/.claude
      list=drwx------ 3 0 0 4096 Nov 24 22:00 /root
      df=`);
    const absent = { kind: "absent", mode: "", uid: -1, links: 0 };
    expect(parseProbe(answer)).toMatchObject({
      user: "root",
      uid: 0,
      dirEntry: absent,
      fileEntry: ABSENT,
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
    const look = "dir=/h/.claude\nlook=file /h/.claude/.credentials.json\nbytes=";
    expect(parseProbe(answerOf(look)).file).toEqual(Buffer.alloc(0));
  });

  test("an account without a name, or without an answer, is nobody's", () => {
    expect(parseProbe(answerOf("user=uid=1001 gid=1001"))).toMatchObject({ user: "?", uid: -1 });
    expect(parseProbe(answerOf(""))).toMatchObject({ user: "?", uid: -1 });
  });

  test("a file of which more was sent than is taken has no bytes", () => {
    const look = (bytes: number) =>
      `dir=/h/.claude\nlook=file /h/.claude/.credentials.json\nbytes=${"20".repeat(bytes)}`;
    expect(parseProbe(answerOf(look(262_144))).file).toHaveLength(262_144);
    expect(parseProbe(answerOf(look(262_145))).file).toBeUndefined();
  });

  test("a path that was not listed has no mode and no owner", () => {
    const answer = answerOf(
      "dir.is=directory /h/.claude\nlist=drwx------ 3 0 0 4096 Nov 24 22:00 /h",
    );
    expect(parseProbe(answer).dirEntry).toEqual({ kind: "directory", mode: "", uid: -1, links: 0 });
  });

  test("a kind of entry that is not known is `other`", () => {
    expect(parseProbe(answerOf("dir.is=socket /run/claude")).dirEntry.kind).toBe("other");
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
        home.is=file /h
        list=\u001B[2J 1 1 1 1 Nov 24 22:00 /h
        env=A\u001BB set
        project=/srv/\u001B[2Jwrapper
        wiring=/etc/\u0007dropin
        unread=unit-env-file /etc/\u001B[2J
        last=2026\tr\u0007un\tcom\u001Bmitted\tann\u202E
        var=unit 1 set ANTHROPIC_API_KEY /etc/\u001B[2J`),
    );
    const { home: _home, configDir: _configDir, ...shown } = report;
    // JSON spells such characters with escapes.
    expect(JSON.stringify(shown)).not.toMatch(/\\u|[\u007F-\u009F\u202E]/);
    expect(report).toMatchObject({ lockedBy: "a1 ben @desk", claudeVersion: "2.1" });
  });

  test("whatever is answered, there is a report", () => {
    const keys = [
      "user",
      "home",
      "look",
      "bytes",
      "clock",
      "wrapper",
      "env",
      "var",
      "last",
      "dir.is",
      "list",
      "df",
    ];
    const facts = fc.array(fc.record({ key: fc.constantFrom(...keys), value: fc.string() }));
    fc.assert(
      fc.property(facts, (some) => {
        const report = parseProbe(new Answer(some));
        expect(["absent", "file", "directory", "link", "other"]).toContain(report.dirEntry.kind);
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
    ["an environment that may not be read", "env=?"],
    ["nothing", ""],
  ])("%s tells nothing", (_, line) => {
    expect(parseShadows(answerOf(line))).toEqual([]);
  });

  test("an empty variable is told as that", () => {
    expect(parseShadows(answerOf("env=ANTHROPIC_API_KEY empty"))).toMatchObject([
      { value: "empty" },
    ]);
  });

  test("a place that is not known is a file that services do not read", () => {
    expect(parseShadows(answerOf("var=moon 3 set ANTHROPIC_API_KEY /x y"))).toEqual([
      { name: "ANTHROPIC_API_KEY", place: "shell-rc", value: "set", path: "/x y", line: 3 },
    ]);
  });
});

describe("the answer to a restart", () => {
  test("of a wrapper that came up", () => {
    expect(parseRestart(answerOf("wrapper=4712 88400 1001 1"))).toEqual({
      failure: undefined,
      wrapper: { pid: 4712, start: "88400", uid: 1001 },
      shadows: [],
      seesEnvironment: true,
      log: [],
    });
  });

  test.each([
    ["of another account's process", "wrapper=4712 88400 7 1\nenv=?"],
    ["of no process", ""],
  ])("%s tells nothing of an environment", (_, text) => {
    expect(parseRestart(answerOf(text))).toMatchObject({ seesEnvironment: false, shadows: [] });
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
