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
web-1           verified     1a2b3c4d     2026-01-05 17:00 (in 8 h 0 min)  -
stage-longname  rolled-back  -            -                                Log in: \`claude\`

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

  test("of no host is its head", () => {
    expect(renderReport([], NOW, plain)).toBe("HOST  OUTCOME  FINGERPRINT  VALID UNTIL  NEXT\n");
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
