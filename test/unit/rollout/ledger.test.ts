import { describe, expect, test } from "vitest";
import type { HostResult } from "../../../src/outcome.ts";
import type { Offer } from "../../../src/plan/plan.ts";
import { fingerprintsWrittenTo, readLedger, recordInLedger } from "../../../src/rollout/ledger.ts";
import { Secret } from "../../../src/secret.ts";
import { FAKE_NOW, fakePorts } from "../../support/fake-ports.ts";

const TOKEN = "sk-ant-oat01-CANARYcanaryCANARY";
const PATH = "/home/ann/.local/state/sync-creds/ledger.jsonl";

const offer: Offer = { block: new Secret(`{"accessToken":"${TOKEN}"}`), fingerprint: "aaaa0001" };
const handedOver: Offer = { ...offer, sentRefreshFingerprint: "bbbb0001" };
const verified: HostResult = { host: "web-1", outcome: "verified", next: [], durationMs: 1 };

/** A ledger with these lines in it. */
const ledgerOf = (...lines: string[]) =>
  readLedger(fakePorts({ files: { [PATH]: { content: lines.join("\n") } } }));

describe("what is written can be read again", () => {
  test("in the order of writing, and nothing secret with it", async () => {
    const ports = fakePorts();
    await recordInLedger(ports, offer, verified);
    await recordInLedger(ports, handedOver, { ...verified, host: "web-2", outcome: "unverified" });
    expect(await readLedger(ports)).toEqual([
      { at: FAKE_NOW, host: "web-1", outcome: "verified", fingerprint: "aaaa0001" },
      {
        at: FAKE_NOW,
        host: "web-2",
        outcome: "unverified",
        fingerprint: "aaaa0001",
        refreshFingerprint: "bbbb0001",
      },
    ]);
    expect((await ports.files.read(PATH)).bytes.toString("utf8")).not.toContain("CANARY");
  });

  test("a laptop that never pushed has an empty one", async () => {
    expect(await readLedger(fakePorts())).toEqual([]);
  });
});

test("lines that are not ours are passed over", async () => {
  const good = '{"at":1,"host":"web-1","outcome":"verified","fingerprint":"aaaa0001"}';
  const entries = await ledgerOf(
    "",
    "not JSON",
    good.slice(0, -20),
    "null",
    "[]",
    "7",
    '{"host":"web-1"}',
    '{"host":1,"fingerprint":"aaaa0001"}',
    '{"fingerprint":"aaaa0001"}',
    good,
  );
  expect(entries).toEqual([JSON.parse(good)]);
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
  const ledger = [
    { ...entry, host: "web-1", fingerprint: "aaaa0001" },
    { ...entry, host: "web-2", fingerprint: "aaaa0002" },
    { ...entry, host: "web-1", fingerprint: "aaaa0003", refreshFingerprint: "bbbb0003" },
  ];
  expect(fingerprintsWrittenTo("web-1", ledger)).toEqual(["aaaa0001", "aaaa0003", "bbbb0003"]);
  expect(fingerprintsWrittenTo("web", ledger)).toEqual([]);
});

test("what a rollback or a failover has left there is noted, and not taken for what this laptop put there", async () => {
  const ports = fakePorts();
  await recordInLedger(ports, { fingerprint: "cccc0001" }, verified, { kind: "restore" });
  await recordInLedger(ports, {}, verified, { kind: "switch", name: "fallback", to: "on" });
  const ledger = await readLedger(ports);
  expect(ledger).toMatchObject([{ host: "web-1", by: "rollback", fingerprint: "cccc0001" }]);
  expect(fingerprintsWrittenTo("web-1", ledger)).toEqual([]);
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
  await recordInLedger(ports, offer, verified);
  expect(await ports.files.exists(path)).toBe(true);
});
