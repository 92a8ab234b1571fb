import { describe, expect, test } from "vitest";
import { SyncCredsError } from "../../../src/errors.ts";
import type { HostResult } from "../../../src/outcome.ts";
import { renderJsonResult, renderReport } from "../../../src/output/report.ts";
import type { Paint } from "../../../src/output/terminal.ts";

const NOW = new Date(2026, 0, 5, 9, 0).getTime();
const plain: Paint = (_style, text) => text;
const marked: Paint = (style, text) => `<${style}>${text}</${style}>`;

const verified: HostResult = {
  host: "web-1",
  outcome: "verified",
  fingerprint: "1a2b3c4d",
  validUntil: NOW + 8 * 3_600_000,
  next: [],
  durationMs: 4200,
};
const rolledBack: HostResult = {
  host: "stage-longname",
  outcome: "rolled-back",
  code: "token-expired",
  what: "the login on the host has expired",
  why: "the wrapper said: Login expired\nand no more",
  next: ["Log in: `claude`", "Push again"],
  state: "back on its former credentials, and answering again",
  logTail: ["boom", "exit 1"],
  durationMs: 61_000,
};

describe("the closing table", () => {
  test("of a host that is well is the whole report", () => {
    expect(renderReport([verified], NOW, plain)).toBe(
      `HOST   OUTCOME   FINGERPRINT  VALID UNTIL                      NEXT
web-1  verified  1a2b3c4d     2026-01-05 17:00 (in 8 h 0 min)  -
`,
    );
  });

  test("is followed by a block for each host that needs attention", () => {
    expect(renderReport([verified, rolledBack], NOW, plain)).toBe(
      `HOST            OUTCOME      FINGERPRINT  VALID UNTIL                      NEXT
stage-longname  rolled-back  -            -                                Log in: \`claude\`
web-1           verified     1a2b3c4d     2026-01-05 17:00 (in 8 h 0 min)  -

✖ stage-longname: the login on the host has expired  token-expired
  why   the wrapper said: Login expired
        and no more
  state back on its former credentials, and answering again
  next  Log in: \`claude\`
        Push again
  log   boom
        exit 1
`,
    );
  });

  test("of a dry run is followed by the plan of each host", () => {
    const planned: HostResult = {
      host: "web-1",
      outcome: "planned",
      plan: ["the wrapper now: answers", "restart the system unit a.service"],
      next: [],
      durationMs: 1,
    };
    expect(renderReport([planned], NOW, plain)).toBe(
      `HOST   OUTCOME  FINGERPRINT  VALID UNTIL  NEXT
web-1  planned  -            -            -

web-1
  the wrapper now: answers
  restart the system unit a.service
`,
    );
  });

  test("colours the outcome, and keeps the columns", () => {
    const [, row] = renderReport([{ ...verified, host: "w" }], NOW, marked).split("\n");
    expect(row).toBe(
      "w     <green>verified</green>  1a2b3c4d     2026-01-05 17:00 (in 8 h 0 min)  -",
    );
    expect(renderReport([rolledBack], NOW, marked)).toContain("<yellow>rolled-back</yellow>");
  });

  test("of no host says so", () => {
    expect(renderReport([], NOW, plain)).toBe("no host is left to go to\n");
  });
});

function endedAs(outcome: HostResult["outcome"], at: number): HostResult {
  return { ...verified, host: `web-${at}`, outcome };
}

describe("the report on many hosts", () => {
  const many = (count: number, one: Partial<HostResult> = {}) =>
    Array.from({ length: count }, (_, at) => ({ ...verified, ...one, host: `web-${at + 1}` }));
  const hostsOf = (report: string) =>
    report
      .split("\n\n")[0]
      ?.trimEnd()
      .split("\n")
      .slice(1)
      .map((row) => row.split(/ {2,}/).slice(0, 3).join(" | "));

  test("is sorted worst first, in the order of hosts.json where they are alike", () => {
    const outcomes = [
      "unchanged",
      "unreachable",
      "rollback-failed",
      "verified",
      "rolled-back",
    ] as const;
    const results = [...outcomes, ...outcomes].map((outcome, at) => endedAs(outcome, at));
    expect(
      renderReport(results, NOW, plain)
        .split("\n")
        .slice(1, -1)
        .map((row) => row.split(/ +/).slice(0, 2).join(" ")),
    ).toEqual([
      "web-2 rollback-failed",
      "web-7 rollback-failed",
      "web-4 rolled-back",
      "web-9 rolled-back",
      "web-1 unreachable",
      "web-6 unreachable",
      "web-3 verified",
      "web-8 verified",
      "web-0 unchanged",
      "web-5 unchanged",
    ]);
  });

  test("folds those that are well into one row for each outcome, so that a failure stands out", () => {
    const results = [
      ...many(150),
      ...many(48, { outcome: "unchanged" }),
      { ...verified, host: "other", outcome: "unchanged" as const, fingerprint: "ffff0000" },
      rolledBack,
    ];
    const report = renderReport(results, NOW, plain);
    expect(hostsOf(report)).toEqual([
      "stage-longname | rolled-back | -",
      "150 hosts | verified | 1a2b3c4d",
      "49 hosts | unchanged | several",
    ]);
    expect(report).toContain("2026-01-05 17:00 (in 8 h 0 min)  - (`-v` shows them)");
    expect(report.split("\n").length).toBeLessThan(20);
  });

  test("shows each of thirty, and each of however many when asked to", () => {
    expect(hostsOf(renderReport(many(30), NOW, plain))).toHaveLength(30);
    expect(hostsOf(renderReport(many(31), NOW, plain))).toHaveLength(1);
    expect(hostsOf(renderReport(many(200), NOW, plain, { all: true }))).toHaveLength(200);
  });

  test("never folds what is not well: each has its row, and the same problem one block", () => {
    const stopped = many(60, { outcome: "not-attempted", what: "not begun", why: "web-0 failed" });
    const report = renderReport(stopped, NOW, plain);
    expect(hostsOf(report)).toHaveLength(60);
    expect(report.split("\n\n")[1]).toBe(
      "✖ web-1, web-2, web-3, web-4 and 56 more: not begun\n  why   web-0 failed\n",
    );
  });

  test("keeps apart problems that differ in anything but the host's own name", () => {
    const one = { ...rolledBack, host: "web-1", next: ["Look at web-1"] };
    const same = { ...rolledBack, host: "web-2", next: ["Look at web-2"] };
    const other = { ...same, host: "web-3", logTail: ["another end"] };
    const report = renderReport([one, same, other], NOW, plain);
    expect(report.match(/✖ .*?:/g)).toEqual(["✖ web-1, web-2:", "✖ web-3:"]);
  });

  test("of a dry run tells the same plan once", () => {
    const planned = many(200, { outcome: "planned", plan: ["restart it"] });
    expect(renderReport(planned, NOW, plain)).toContain(
      "\nweb-1, web-2, web-3, web-4 and 196 more\n  restart it\n",
    );
  });
});

describe("the last line of --json", () => {
  test("is one object on one line", () => {
    expect(renderJsonResult(0, [verified])).toBe(
      `{"type":"result","schemaVersion":1,"exitCode":0,"hosts":[{"host":"web-1","outcome":"verified","fingerprint":"1a2b3c4d","validUntil":${NOW + 8 * 3_600_000},"next":[],"durationMs":4200}]}\n`,
    );
  });

  test("names the error that ended the run before any host", () => {
    const error = new SyncCredsError("CREDENTIALS_BLANKED", "the login is blank", {
      why: "logged out",
      next: ["Log in"],
    });
    expect(renderJsonResult(4, [], error)).toBe(
      '{"type":"result","schemaVersion":1,"exitCode":4,"error":{"code":"CREDENTIALS_BLANKED","what":"the login is blank","why":"logged out","next":["Log in"]},"hosts":[]}\n',
    );
  });

  test("stays one line, whatever a host said", () => {
    const line = renderJsonResult(10, [{ ...rolledBack, why: "a\nb\u001B[31m\u2028" }]);
    expect(line.trimEnd()).not.toMatch(/[\n\u001B]/); // oxlint-disable-line no-control-regex -- it is what must not be there
    expect(JSON.parse(line)).toMatchObject({ hosts: [{ why: "a\nb\u001B[31m\u2028" }] });
  });
});
