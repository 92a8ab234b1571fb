import { describe, expect, test } from "vitest";
import {
  checkChanges,
  checkClaudeVersion,
  checkClock,
  checkFallbacks,
  checkFiles,
} from "../../../src/doctor/host-checks.ts";
import { ABSENT } from "../../../src/remote/host-files.ts";
import { hostEntry } from "../../support/host-entry.ts";
import { PRIVATE_FILE, probeReport } from "../plan/a-probe-report.ts";
import { inspection } from "./an-inspection.ts";

const NOW = Date.UTC(2026, 0, 1);
const host = hostEntry({});
const fileOf = (text: string) => ({ ...PRIVATE_FILE, bytes: Buffer.from(text) });

describe("the host's clock", () => {
  test.each<[number, string]>([
    [0, "ok in step"],
    [-59_000, "ok in step"],
    [10 * 60_000, "warn 10 min ahead of this laptop's"],
    [-26 * 3600_000, "warn 26 h 0 min behind this laptop's"],
    [Number.NaN, "note the host told no time"],
  ])("off by %i ms", (offMs, expected) => {
    const { mark, what } = checkClock(probeReport({ clock: NOW + offMs }), NOW);
    expect(`${mark} ${what}`).toContain(expected);
  });
});

describe("files and places", () => {
  const file = Buffer.from("{}");

  test("a private file of the wrapper's own is well", () => {
    const report = probeReport({ fileEntry: PRIVATE_FILE, file });
    expect(checkFiles(host, report, inspection())).toMatchObject([{ topic: "file", mark: "ok" }]);
  });
  test("one that others can read is told, with the command", () => {
    const report = probeReport({ fileEntry: { ...PRIVATE_FILE, mode: "-rw-r--r--" }, file });
    const [check] = checkFiles(host, report, inspection());
    expect(check).toMatchObject({ mark: "warn", exit: 10, code: "TARGET_UNSAFE" });
    expect(check?.cure[0]).toContain("chmod 600 /home/deploy/.claude/.credentials.json");
  });
  test("what a push would refuse is told before it", () => {
    const report = probeReport({ fileEntry: { ...PRIVATE_FILE, kind: "link" }, file });
    expect(checkFiles(host, report, inspection())).toMatchObject([
      { mark: "bad", exit: 10, what: expect.stringContaining("symbolic link") },
    ]);
  });
  test.each([
    [{ wrapperHome: "/root" }, "/root/.claude"],
    [{ wrapperDir: "/data/claude" }, "/data/claude"],
  ])("a wrapper that reads another file is told: %j", (different, reads) => {
    const [check] = checkFiles(host, probeReport(), inspection(different));
    expect(check?.what).toBe(`the wrapper reads ${reads}, a push writes /home/deploy/.claude`);
  });
  test("inside a container the same path is another one, and proves nothing", () => {
    const one = { pid: 1, name: "api", service: undefined, directory: undefined };
    const there = inspection({ wrapperHome: "/root", containers: [one] });
    expect(checkFiles(host, probeReport(), there)).toMatchObject([{ mark: "ok" }]);
  });
});

describe("what sync-creds left there", () => {
  const lastRun = { at: "20260101T000000Z", run: "a", ending: "committed", who: "ana@laptop" };
  test.each([
    [{}, 0, "note nothing was ever pushed here"],
    [{ lastRun }, 0, "ok last run 20260101T000000Z by ana@laptop: committed; 2 backups"],
    [{ lastRun, lockedBy: "1f ben@desk" }, 13, "warn a run is at work there: ben@desk (run 1f)"],
    [{ lastRun, leftover: "ben@desk" }, 10, "bad an unfinished change of ben@desk lies there"],
  ])("%j", (different, exit, text) => {
    const [check] = checkChanges(probeReport(different), inspection({ backups: 2 }));
    expect(`${check?.mark} ${check?.what}`).toBe(text);
    expect(check?.exit).toBe(exit);
  });
});

describe("fallbacks", () => {
  const dir = "/home/deploy/.claude";
  const key = [`${dir}/.sync-creds/api-key`, fileOf("sk-ant-api03-x")] as const;
  const helper = fileOf(`{"apiKeyHelper": "'${dir}/.sync-creds/api-key.sh'"}`);
  test.each([
    [[key, [`${dir}/settings.json`, helper] as const], "note failed over to API key"],
    [[key], "ok not failed over; the backup API key lies ready"],
    [[], "note not failed over; the backup API key is not there yet"],
  ])("the backup key", (files, text) => {
    const report = probeReport({ files: new Map(files) });
    const [check] = checkFallbacks(hostEntry({ backup: "api-key" }), report);
    expect(`${check?.mark} ${check?.what}`).toContain(text);
  });

  const one = { file: "~/config.py", find: '"claude"', put: '"perplexity"' };
  test.each([
    ['provider = "claude"', "ok", "is off"],
    ['provider = "perplexity"', "note", "is on"],
    ["provider = None", "bad", "neither text"],
    ['a = "claude"\nb = "claude"', "bad", "2 times"],
    [undefined, "bad", "no such file"],
  ])("a switch whose file says %j", (text, mark, what) => {
    const file = text === undefined ? { ...ABSENT, bytes: undefined } : fileOf(text);
    const report = probeReport({ files: new Map([["/home/deploy/config.py", file]]) });
    const [check] = checkFallbacks(hostEntry({ switches: { llm: one } }), report);
    expect(check).toMatchObject({ mark, what: expect.stringContaining(what) });
  });
});

test.each([
  ["2.0.5", "note"],
  ["2.1.80", "note"],
  ["2.1.81", "ok"],
  ["2.2.0", "ok"],
  ["3.0.0-beta.1", "ok"],
  [undefined, "note"],
])("Claude Code %s", (claudeVersion, mark) => {
  expect(checkClaudeVersion(probeReport({ claudeVersion })).mark).toBe(mark);
});
