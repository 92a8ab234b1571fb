import { describe, expect, test } from "vitest";
import type { HostResult } from "../../../src/outcome.ts";
import {
  fingerprintsWrittenTo,
  readLedger,
  recordInLedger,
  verifiedAt,
} from "../../../src/rollout/ledger.ts";
import { FAKE_NOW, fakePorts } from "../../support/fake-ports.ts";

const PATH = "/home/ann/.local/state/sync-creds/ledger.jsonl";

const CIRCUMSTANCES = { run: "c0ffee00", who: "ann@laptop" };
const verified: HostResult = {
  host: "web-1",
  outcome: "verified",
  fingerprint: "aaaa0001",
  next: [],
  durationMs: 1,
};

/** A ledger with these lines in it. */
const ledgerOf = (...lines: string[]) =>
  readLedger(fakePorts({ files: { [PATH]: { content: lines.join("\n") } } }));

describe("what is written can be read again", () => {
  test("in the order of writing, and nothing secret with it", async () => {
    const ports = fakePorts();
    await recordInLedger(ports, verified, CIRCUMSTANCES);
    await recordInLedger(
      ports,
      { ...verified, host: "web-2", outcome: "unverified", code: "usage-limit" },
      { ...CIRCUMSTANCES, sentRefreshFingerprint: "bbbb0001" },
    );
    await recordInLedger(
      ports,
      { host: "web-3", outcome: "rolled-back", code: "token-expired", next: [], durationMs: 1 },
      { ...CIRCUMSTANCES, sentRefreshFingerprint: "bbbb0001", by: "switch fallback on" },
    );
    const common = { at: FAKE_NOW, ...CIRCUMSTANCES };
    expect(await readLedger(ports)).toEqual({
      entries: [
        { ...common, host: "web-1", outcome: "verified", fingerprint: "aaaa0001" },
        {
          ...common,
          host: "web-2",
          outcome: "unverified",
          fingerprint: "aaaa0001",
          refreshFingerprint: "bbbb0001",
          code: "usage-limit",
        },
        {
          ...common,
          host: "web-3",
          outcome: "rolled-back",
          by: "switch fallback on",
          code: "token-expired",
        },
      ],
      damaged: [],
    });
  });

  test("a laptop that never pushed has an empty one", async () => {
    expect(await readLedger(fakePorts())).toEqual({ entries: [], damaged: [] });
  });
});

test("damaged lines are told by their numbers, and the others count", async () => {
  const good = '{"at":1,"host":"web-1","outcome":"verified","fingerprint":"aaaa0001"}';
  const entries = await ledgerOf(
    "",
    "not JSON",
    good.slice(0, -20),
    "null",
    "[]",
    "7",
    '{"host":"web-1"}',
    '{"at":1,"host":1,"fingerprint":"aaaa0001"}',
    '{"at":1,"host":"web-1","outcome":"verified","fingerprint":7}',
    good,
  );
  expect(entries).toEqual({ entries: [JSON.parse(good)], damaged: [2, 3, 4, 5, 6, 7, 8, 9] });
});

test.each(["EACCES", "EISDIR", "EFBIG"])(
  "one that cannot be read (%s) is no empty one",
  async (code) => {
    await expect(readLedger(fakePorts({ files: { [PATH]: code } }))).rejects.toMatchObject({
      code: "CONFIG_UNREADABLE",
      why: `reading ${PATH} ended with ${code}; it says which hosts were given which login`,
    });
  },
);

test("what this laptop put on a host: access tokens, and refresh tokens that went along", () => {
  const entry = { at: 1, outcome: "verified" };
  const entries = [
    { ...entry, host: "web-1", fingerprint: "aaaa0001" },
    { ...entry, host: "web-2", fingerprint: "aaaa0002" },
    { ...entry, host: "web-1", fingerprint: "aaaa0003", refreshFingerprint: "bbbb0003" },
    { ...entry, host: "web-1", fingerprint: "aaaa0004", outcome: "rolled-back" },
    { ...entry, host: "web-1", fingerprint: "aaaa0005", by: "rollback" },
  ];
  const ledger = { entries, damaged: [] };
  expect(fingerprintsWrittenTo("web-1", ledger)).toEqual(["aaaa0001", "aaaa0003", "bbbb0003"]);
  expect(fingerprintsWrittenTo("web", ledger)).toEqual([]);
});

test.each<[string, string[], number | undefined]>([
  ["never seen", [], undefined],
  ["verified with it", ["verified aaaa0001"], 1],
  ["found unchanged with it", ["verified aaaa0001", "unchanged aaaa0001"], 2],
  ["verified with another one since", ["verified aaaa0001", "verified aaaa0002"], undefined],
  ["put back since", ["verified aaaa0001", "rolled-back aaaa0001"], undefined],
  ["unverified", ["unverified aaaa0001"], undefined],
])("a host is known as verified or not: %s", (_, lines, at) => {
  const entries = lines.map((line, index) => {
    const [outcome = "", fingerprint = ""] = line.split(" ");
    return { at: index + 1, host: "web-1", outcome, fingerprint };
  });
  expect(verifiedAt("web-1", "aaaa0001", { entries, damaged: [] })).toBe(at);
});

test.each([
  ["Linux", {}, PATH],
  ["macOS", { platform: "darwin" as const }, PATH],
  ["XDG_STATE_HOME", { env: { XDG_STATE_HOME: "/state" } }, "/state/sync-creds/ledger.jsonl"],
  ["an empty XDG_STATE_HOME", { env: { XDG_STATE_HOME: "" } }, PATH],
  [
    "Windows",
    { platform: "win32" as const, home: "C:\\Users\\Ümit" },
    "C:\\Users\\Ümit\\AppData\\Local\\sync-creds\\ledger.jsonl",
  ],
  [
    "Windows with LOCALAPPDATA",
    { platform: "win32" as const, env: { LOCALAPPDATA: "D:\\Local" } },
    "D:\\Local\\sync-creds\\ledger.jsonl",
  ],
  [
    "Windows with an empty LOCALAPPDATA",
    { platform: "win32" as const, home: "C:\\Users\\Ümit", env: { LOCALAPPDATA: "" } },
    "C:\\Users\\Ümit\\AppData\\Local\\sync-creds\\ledger.jsonl",
  ],
])("where it lies: %s", async (_, surroundings, path) => {
  const ports = fakePorts(surroundings);
  await recordInLedger(ports, verified, CIRCUMSTANCES);
  expect(await ports.files.exists(path)).toBe(true);
});
