import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { planRestore } from "../../../src/plan/plan-restore.ts";
import type { RestoreQuestion } from "../../../src/plan/plan-restore.ts";
import type { Baseline, Plan } from "../../../src/plan/plan.ts";
import type { Backup, BackupFile } from "../../../src/remote/backups.ts";
import { ABSENT } from "../../../src/remote/host-files.ts";
import type { ProbeReport } from "../../../src/remote/probe-report.ts";
import { hostEntry } from "../../support/host-entry.ts";
import { PRIVATE_FILE, probeReport } from "./a-probe-report.ts";

const NOW = 1_000_000;
const LOGIN = "/home/deploy/.claude/.credentials.json";
const ENV = "/home/deploy/.claude/.sync-creds/wrapper.env";
const UNIT = "/etc/systemd/system/wrapper.service.d/zz-sync-creds.conf";
const WORKS: Baseline = { passed: true, unusable: undefined, loginDead: false, meaning: "works" };

const render = (name: string, more: object = {}) =>
  JSON.stringify({ claudeAiOauth: { accessToken: `CANARY-${name}`, expiresAt: NOW + 1, ...more } });
const [A, B, C] = [render("a"), render("b"), render("c")];
const sha = (text: string | undefined) =>
  text === undefined ? "absent" : createHash("sha256").update(text).digest("hex");
const seen = (text: string, mode = "-rw-------") => ({
  ...PRIVATE_FILE,
  mode,
  bytes: Buffer.from(text),
});

/** One file of a change: from this text to that one; undefined is no file. */
function turn(
  path: string,
  was: string | undefined,
  became: string | undefined,
  mode?: string,
): BackupFile {
  const copy = was === undefined ? ABSENT : seen(was, mode);
  return { path, was: sha(was), became: sha(became), asRoot: path === UNIT, copy };
}

function backup(id: string, files: BackupFile[], different: Partial<Backup> = {}): Backup {
  return { id, at: 0, who: "ana@laptop", what: "push", isCommitted: true, files, ...different };
}

/** A host with these files, whatever its report says besides. */
function holding(
  files: Record<string, string | undefined>,
  more: Partial<ProbeReport> = {},
): ProbeReport {
  const entries = Object.entries(files).map(
    ([path, text]) => [path, text === undefined ? ABSENT : seen(text)] as const,
  );
  const login = files[LOGIN];
  const file = login === undefined ? {} : { fileEntry: PRIVATE_FILE, file: Buffer.from(login) };
  return probeReport({ files: new Map(entries), ...file, ...more });
}

function plan(
  report: ProbeReport,
  backups: Backup[],
  different: Partial<RestoreQuestion> = {},
  wanted?: string,
): Plan {
  const question = {
    host: hostEntry({}),
    report,
    baseline: WORKS,
    backups,
    force: false,
    now: NOW,
    ...different,
  };
  return planRestore(question, { backup: wanted });
}

/** The plan in a few words: what each file becomes. */
function tell(decided: Plan): string {
  if (decided.kind === "refuse") return `${decided.outcome} ${decided.error.code}`;
  if (decided.kind === "look-closer") return `look at ${decided.path}`;
  if (decided.kind !== "change") return decided.kind;
  return decided.changes.map(({ path, after }) => `${path}=${after?.reveal() ?? "gone"}`).join(" ");
}

const ONE = [backup("b1", [turn(LOGIN, A, B)])];
const TWO = [backup("b2", [turn(LOGIN, B, C), turn(ENV, undefined, "X=1\n")]), ...ONE];
const SWITCH = backup("5w", [turn("/srv/config.py", "x", "y")], { what: "switch fallback on" });
const ASIDE = backup("a51de", [turn(LOGIN, B, A)], { isCommitted: false });
const DEAD = render("dead", { expiresAt: NOW - 1 });
const FORCE = { force: true };

describe("the decision", () => {
  test.each<[string, string, ProbeReport, Backup[], Partial<RestoreQuestion>, string?]>([
    ["none", "refused BACKUP_UNKNOWN", holding({}), [], {}],
    ["a file that was not read", `look at ${LOGIN}`, holding({}), ONE, {}],
    ["one change", `${LOGIN}=${A}`, holding({ [LOGIN]: B }), ONE, {}],
    [
      "the newest of two",
      `${LOGIN}=${B} ${ENV}=gone`,
      holding({ [LOGIN]: C, [ENV]: "X=1\n" }),
      TWO,
      {},
    ],
    [
      "an older one, with all since",
      `${LOGIN}=${A} ${ENV}=gone`,
      holding({ [LOGIN]: C, [ENV]: "X=1\n" }),
      TWO,
      {},
      "b1",
    ],
    ["what is there already", "unchanged", holding({ [LOGIN]: A }), ONE, {}],
    [
      "part of what is there already",
      `${ENV}=gone`,
      holding({ [LOGIN]: B, [ENV]: "X=1\n" }),
      TWO,
      {},
    ],
    ["a switch before it", `${LOGIN}=${A}`, holding({ [LOGIN]: B }), [SWITCH, ...ONE], {}],
    [
      "a switch by name",
      "refused BACKUP_UNKNOWN",
      holding({ [LOGIN]: B }),
      [SWITCH, ...ONE],
      {},
      "5w",
    ],
    ["one that was set aside", `${LOGIN}=${A}`, holding({ [LOGIN]: B }), [ASIDE, ...ONE], {}],
    [
      "that one by name",
      "conflict FILE_CHANGED",
      holding({ [LOGIN]: C }),
      [ASIDE, ...ONE],
      {},
      "a5",
    ],
    [
      "that one by name and force",
      `${LOGIN}=${B}`,
      holding({ [LOGIN]: C }),
      [ASIDE, ...ONE],
      FORCE,
      "a5",
    ],
    ["no such name", "refused BACKUP_UNKNOWN", holding({ [LOGIN]: B }), ONE, {}, "zz"],
    [
      "a name of two",
      "refused BACKUP_UNKNOWN",
      holding({ [LOGIN]: C, [ENV]: undefined }),
      TWO,
      {},
      "b",
    ],
    ["another's change since", "conflict FILE_CHANGED", holding({ [LOGIN]: C }), ONE, {}],
    ["another's change since, by force", `${LOGIN}=${A}`, holding({ [LOGIN]: C }), ONE, FORCE],
    ["another's removal since", "conflict FILE_CHANGED", holding({ [LOGIN]: undefined }), ONE, {}],
    [
      "a dead login",
      "refused BACKUP_DEAD",
      holding({ [LOGIN]: B }),
      [backup("d", [turn(LOGIN, DEAD, B)])],
      {},
    ],
    [
      "a dead login, by force",
      `${LOGIN}=${DEAD}`,
      holding({ [LOGIN]: B }),
      [backup("d", [turn(LOGIN, DEAD, B)])],
      FORCE,
    ],
    ["a lock", "busy LOCKED", holding({ [LOGIN]: B }, { lockedBy: "a1 ben@desk" }), ONE, FORCE],
    [
      "an unfinished change",
      "recover",
      holding({ [LOGIN]: B }, { leftover: "ben@desk" }),
      ONE,
      FORCE,
    ],
    ["a hazard", "refused REMOTE_TOOLS", holding({ [LOGIN]: B }, { missing: ["x"] }), ONE, FORCE],
    [
      "a wrapper that gives no verdict",
      "refused WRAPPER_UNUSABLE",
      holding({ [LOGIN]: B }),
      ONE,
      { baseline: { ...WORKS, unusable: "it refused our bearer" } },
    ],
    [
      "a copy that is damaged, even by force",
      "refused BACKUP_UNKNOWN",
      holding({ [LOGIN]: B }),
      [backup("x", [{ ...turn(LOGIN, A, B), copy: seen("other") }])],
      FORCE,
    ],
    [
      "a file that has become a link, even by force",
      "refused TARGET_UNSAFE",
      probeReport({ files: new Map([[LOGIN, { ...seen(B), kind: "link" as const }]]) }),
      ONE,
      FORCE,
    ],
  ])("with %s: %s", (_, expected, report, backups, different, wanted) => {
    expect(tell(plan(report, backups, different, wanted))).toBe(expected);
  });
});

describe("a change", () => {
  test("is each file as it was: bytes, mode and owner; and is told by fingerprints", () => {
    const files = [turn(LOGIN, A, B), turn(UNIT, "[Service]\n", undefined, "-rw-r--r--")];
    const decided = plan(holding({ [LOGIN]: B, [UNIT]: undefined }), [backup("b1", files)]);
    expect(decided).toMatchObject({
      changes: [
        { path: LOGIN, mode: "600", before: Buffer.from(B), asRoot: false },
        { path: UNIT, mode: "644", before: undefined, asRoot: true },
      ],
      lines: [
        "as it was before the push of ana@laptop",
        expect.stringMatching(/: [0-9a-f]{8} → [0-9a-f]{8}$/),
        `${UNIT}: put back, mode 644`,
      ],
      brings: { fingerprint: expect.stringMatching(/^[0-9a-f]{8}$/), validUntil: NOW + 1 },
    });
    expect(JSON.stringify(decided)).not.toContain("CANARY");
  });

  test("keeps bytes that are no text", () => {
    const strange = Buffer.from([0xff, 0, 0x7b]);
    const was = createHash("sha256").update(strange).digest("hex");
    const file = { ...turn(LOGIN, "", B), was, copy: { ...seen(""), bytes: strange } };
    const decided = plan(holding({ [LOGIN]: B }), [backup("b1", [file])]);
    const [change] = decided.kind === "change" ? decided.changes : [];
    expect(change?.after?.revealBytes().equals(strange)).toBe(true);
  });

  const process = { kind: "process", directory: "~/w", command: "x", log: "x" } as const;
  test.each([
    ["a variable of ours that goes", "X_Y=1\n", undefined, { unset: "X_Y", env: "" }],
    ["a variable of ours that comes back", undefined, "X_Y=1\n", { unset: "", env: ENV }],
    ["another variable", "A=1\n", "B=1\n", { unset: "A", env: ENV }],
  ])("gives a process its environment: %s", (_, now, then, recipe) => {
    const host = hostEntry({ restart: process });
    const report = holding({ [ENV]: now }, { directory: "directory" });
    expect(plan(report, [backup("b1", [turn(ENV, then, now)])], { host })).toMatchObject({
      recipe,
    });
  });

  test("lets systemd read its units again where a drop-in changes", () => {
    const host = hostEntry({
      restart: { kind: "systemd", unit: "wrapper.service", scope: "system" },
    });
    const report = holding({ [UNIT]: undefined, [LOGIN]: B }, { wiring: UNIT, unit: "active" });
    const [unit, file] = [turn(UNIT, "[Service]\n", undefined), turn(LOGIN, A, B)];
    expect(plan(report, [backup("b1", [unit])], { host })).toMatchObject({
      recipe: { reload: "yes" },
    });
    expect(plan(report, [backup("b1", [file])], { host })).toMatchObject({ recipe: {} });
  });
});

test.each<[string, "dead" | "not known to be dead", object]>([
  ["blanked", "dead", { accessToken: "", refreshToken: "", expiresAt: 0 }],
  ["expired, without a refresh token", "dead", { accessToken: "a", expiresAt: NOW }],
  [
    "expired, to be renewed",
    "not known to be dead",
    { accessToken: "a", refreshToken: "r", expiresAt: NOW },
  ],
  [
    "past its deadline",
    "dead",
    { accessToken: "a", refreshToken: "r", expiresAt: NOW + 1, refreshTokenExpiresAt: NOW },
  ],
  [
    "before its deadline",
    "not known to be dead",
    { accessToken: "a", refreshToken: "r", expiresAt: 1, refreshTokenExpiresAt: NOW + 1 },
  ],
  ["without dates", "not known to be dead", { accessToken: "a" }],
])("a login that is %s is %s", (_, state, block) => {
  const was = JSON.stringify({ claudeAiOauth: block });
  const decided = plan(holding({ [LOGIN]: B }), [backup("b1", [turn(LOGIN, was, B)])]);
  expect(tell(decided).includes("BACKUP_DEAD")).toBe(state === "dead");
});

test("a refusal of a conflict names each file, and what to do", () => {
  const report = holding({ [LOGIN]: A, [ENV]: "Y=1\n" });
  expect(plan(report, TWO)).toMatchObject({
    error: {
      why: `${LOGIN} and ${ENV} are not as our last change has left them`,
      next: [expect.any(String), expect.stringContaining("`sync-creds rollback web-1 --force`")],
    },
  });
});
