import { describe, expect, test } from "vitest";
import type { Switch } from "../../../src/hosts/host.ts";
import { planSwitch, stateOf } from "../../../src/plan/plan-switch.ts";
import { ABSENT } from "../../../src/remote/host-files.ts";
import type { HostFile } from "../../../src/remote/host-files.ts";
import type { ProbeReport } from "../../../src/remote/probe-report.ts";
import { hostEntry } from "../../support/host-entry.ts";
import { PRIVATE_FILE, probeReport } from "./a-probe-report.ts";

const PATH = "/home/deploy/app/config.py";
const fallback: Switch = { file: "~/app/config.py", find: "claude", put: "perplexity" };
const host = hostEntry({ switches: { fallback } });

const file = (text: string | Buffer, different: Partial<HostFile> = {}): HostFile => ({
  ...PRIVATE_FILE,
  mode: "-rw-r-----",
  bytes: Buffer.from(text),
  ...different,
});
const holding = (one: HostFile): Partial<ProbeReport> => ({ files: new Map([[PATH, one]]) });

function plan(to: "on" | "off", report: Partial<ProbeReport>) {
  return planSwitch({ host, report: probeReport(report) }, { name: "fallback", to });
}

/** The plan in a few words. */
function tell(to: "on" | "off", report: Partial<ProbeReport>): string {
  const decided = plan(to, report);
  if (decided.kind === "refuse") return `${decided.outcome} ${decided.error.code}`;
  if (decided.kind === "look-closer") return `look at ${decided.path}`;
  if (decided.kind !== "change") return decided.kind;
  const [change] = decided.changes;
  return `${change?.after?.reveal()} ${change?.mode}`;
}

test.each<[string, "on" | "off", string, Partial<ProbeReport>]>([
  ["a file that was not read", "on", `look at ${PATH}`, {}],
  ["the text once", "on", "use perplexity 640", holding(file("use claude"))],
  ["the other text once", "off", "use claude 640", holding(file("use perplexity"))],
  ["on already", "on", "unchanged", holding(file("use perplexity"))],
  ["off already", "off", "unchanged", holding(file("use claude"))],
  ["no such text", "on", "refused SWITCH_UNCLEAR", holding(file("use nothing"))],
  ["the text twice", "on", "refused SWITCH_UNCLEAR", holding(file("claude claude"))],
  ["both texts", "on", "refused SWITCH_UNCLEAR", holding(file("claude perplexity"))],
  ["no file", "on", "refused TARGET_UNSAFE", holding(ABSENT)],
  ["a link", "on", "refused TARGET_UNSAFE", holding(file("claude", { kind: "link" }))],
  ["a folder", "on", "refused TARGET_UNSAFE", holding(file("claude", { kind: "directory" }))],
  ["another's file", "on", "refused TARGET_UNSAFE", holding(file("claude", { uid: 0 }))],
  ["several names", "on", "refused TARGET_UNSAFE", holding(file("claude", { links: 2 }))],
  ["not readable", "on", "refused TARGET_UNSAFE", holding(file("", { bytes: undefined }))],
  ["no text", "on", "refused TARGET_UNSAFE", holding(file(Buffer.from([0x63, 0xff])))],
  ["a lock", "on", "busy LOCKED", { ...holding(file("claude")), lockedBy: "a1 ben@desk" }],
  ["an unfinished change", "on", "recover", { ...holding(file("claude")), leftover: "ben@desk" }],
  ["a hazard", "on", "refused REMOTE_TOOLS", { ...holding(file("claude")), missing: ["x"] }],
  [
    "a login that is a link, which is no matter here",
    "on",
    "perplexity 640",
    { ...holding(file("claude")), fileEntry: { ...PRIVATE_FILE, kind: "link" }, file: undefined },
  ],
  [
    "an app of another account",
    "on",
    "perplexity 640",
    { ...holding(file("claude")), wrapper: { pid: 1, start: "1", uid: 33 } },
  ],
])("with %s, %s: %s", (_, to, expected, report) => {
  expect(tell(to, report)).toBe(expected);
});

test("a change is one file as it was seen, and brings no credentials", () => {
  const before = Buffer.from("use claude");
  expect(plan("on", holding(file(before)))).toMatchObject({
    changes: [{ path: PATH, mode: "640", before }],
    lines: [`${PATH}: the switch fallback goes on`],
    recipe: {},
    brings: {},
  });
});

describe("a refusal says how often the text stands there", () => {
  test.each([
    ["nothing", `the text of the switch fallback stands nowhere in ${PATH}`],
    ["claude, claude, claude", `the text of the switch fallback stands 3 times in ${PATH}`],
  ])("%s", (text, message) => {
    expect(plan("on", holding(file(text)))).toMatchObject({ error: { message } });
  });
});

test.each<[string, HostFile | undefined]>([
  ["on", file("use perplexity")],
  ["off", file("use claude")],
  ["unclear: neither text stands there", file("")],
  ["unclear: the text stands there 2 times", file("claude claude")],
  ["unclear: the text stands there 2 times", file("perplexity perplexity")],
  ["unclear: there is no such file", ABSENT],
  ["unclear: there is no such file", undefined],
  [
    "unclear: a link of mode -rw-r----- that is no readable text",
    file("", { kind: "link", bytes: undefined }),
  ],
])("the state in words: %s", (words, seen) => {
  expect(stateOf(fallback, seen)).toBe(words);
});
