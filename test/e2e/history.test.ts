import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openLaptop } from "../support/laptop.ts";
import type { Laptop } from "../support/laptop.ts";
import { hasSshd } from "../support/sshd.ts";
import { openStage } from "../support/stage.ts";

const NOON = Date.UTC(2026, 0, 5, 12);
const entry = { at: NOON, run: "aaaa0001", who: "ana@desk", outcome: "verified" };
const ENTRIES = [
  { ...entry, host: "web-1", fingerprint: "1a2b3c4d" },
  { ...entry, host: "old-1", outcome: "rolled-back", code: "token-expired" },
  { ...entry, host: "web-2", run: "aaab0002", fingerprint: "1a2b3c4d" },
  { at: NOON, host: "web-1", outcome: "verified", by: "switch fallback on" },
];

function openWith(lines: readonly string[], hosts?: object): Laptop {
  const world = openLaptop();
  const folder = join(world.laptop, ".local", "state", "sync-creds");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(join(folder, "ledger.jsonl"), lines.map((line) => `${line}\n`).join(""));
  if (hosts !== undefined)
    writeFileSync(join(world.laptop, "hosts.json"), JSON.stringify(hosts), { mode: 0o600 });
  return world;
}

const withEntries = (hosts?: object) =>
  openWith(
    ENTRIES.map((one) => JSON.stringify(one)),
    hosts,
  );

const host = {
  ssh: "web.example.com",
  wrapper: { url: "http://127.0.0.1:8000", chat: { preset: "chat" } },
  restart: { kind: "none" },
};
const FILE = {
  groups: { prod: { hosts: ["web-2"] } },
  hosts: { "web-1": { ...host, tags: ["eu"] }, "web-2": host, "web-3": host },
};

/** Host and outcome of each row of the table. */
function rows(stdout: string): string[] {
  return stdout
    .trimEnd()
    .split("\n")
    .slice(1)
    .map((line) => line.replace(/^.*?\) +/, "").replace(/ {2,}/g, " | "));
}

describe("history", () => {
  test("shows the ledger as a table, newest last, without any hosts.json", async () => {
    using world = withEntries();

    const { stdout, stderr, code } = await world.run(["history"], "", { TZ: "UTC" });

    expect(code).toBe(0);
    expect(stderr).toBe("");
    expect(stdout).toMatch(/^WHEN +HOST +OUTCOME +FINGERPRINT +FOR +BY +RUN\n2026-01-05 12:00 \(/);
    expect(rows(stdout)).toEqual([
      "web-1 | verified | 1a2b3c4d | push | ana@desk | aaaa0001",
      "old-1 | rolled-back (token-expired) | - | push | ana@desk | aaaa0001",
      "web-2 | verified | 1a2b3c4d | push | ana@desk | aaab0002",
      "web-1 | verified | - | switch fallback on | - | -",
    ]);
  });

  test.each([
    ["a host", ["web-1"], ["web-1", "web-1"]],
    ["a group", ["prod"], ["web-2"]],
    ["a tag", ["tag:eu"], ["web-1", "web-1"]],
    ["a pattern", ["*-1"], ["web-1", "old-1", "web-1"]],
    ["a name that hosts.json no longer has", ["old-1"], ["old-1"]],
    ["all", ["all"], ["web-1", "old-1", "web-2", "web-1"]],
    ["a run, by the beginning of its id", ["--run", "aaaa"], ["web-1", "old-1"]],
    ["a host and a run", ["web-1", "--run", "aaaa0001"], ["web-1"]],
    ["the newest two", ["-n", "2"], ["web-2", "web-1"]],
    ["a host that nothing was done to", ["web-3"], []],
  ])("of %s: only its entries", async (_what, argv, hosts) => {
    using world = withEntries(FILE);

    const { stdout, code } = await world.run(["history", ...argv, "--json"]);

    expect(code).toBe(0);
    const result = JSON.parse(stdout) as { entries: { host: string }[] };
    expect(result).toMatchObject({ type: "result", schemaVersion: 1, exitCode: 0, damaged: [] });
    expect(result.entries.map((one) => one.host)).toEqual(hosts);
  });

  test("tells damaged lines, and shows the others", async () => {
    using world = openWith(["{", JSON.stringify(ENTRIES[0]), '{"at":1,"host":"web-9"}']);

    const { stdout, stderr, code } = await world.run(["history"]);

    expect(code).toBe(0);
    expect(stderr).toMatch(/cannot be read: 1, 3\n$/);
    expect(rows(stdout)).toHaveLength(1);
  });

  test("shows fifty unless told, and says how many it leaves out", async () => {
    using world = openWith(
      Array.from({ length: 60 }, (_, at) => JSON.stringify({ ...entry, host: `web-${at}` })),
    );

    const { stdout, stderr } = await world.run(["history"]);

    expect(rows(stdout)).toHaveLength(50);
    expect(stdout).toMatch(/web-59.*\n$/);
    expect(stderr).toContain("10 earlier ones are not shown");
  });

  test("lets nothing in the ledger reach into the terminal", async () => {
    using world = openWith([JSON.stringify({ ...entry, host: "web-1\u001b[2J", who: "a\nb" })]);

    const { stdout } = await world.run(["history"]);

    expect(rows(stdout)).toEqual(["web-1 | verified | - | push | a b | aaaa0001"]);
  });

  test.each([
    ["a name that nobody knows", ["wbe-1"], 2, /TARGET_UNKNOWN[\s\S]*`web-1`/],
    ["an unknown run", ["--run", "ffff"], 2, /no run in the ledger begins with `ffff`/],
    ["no number", ["-n", "0"], 2, /whole number/],
    ["a hosts.json that is named and missing", ["web-1", "-c", "no.json"], 3, /CONFIG_NOT_FOUND/],
  ])("refuses %s", async (_what, argv, status, message) => {
    using world = withEntries();

    const { stderr, code } = await world.run(["history", ...argv]);

    expect(code).toBe(status);
    expect(stderr).toMatch(message);
  });

  test("of an empty ledger says so, and that is no failure", async () => {
    using world = openLaptop();

    const { stdout, stderr, code } = await world.run(["history"]);

    expect([code, stdout]).toEqual([0, ""]);
    expect(stderr).toContain("knows of no change");
  });
});

test.skipIf(!hasSshd)("a push is in the history as soon as it has ended", async () => {
  await using stage = await openStage({ running: true });
  const pushed = await stage.run("push", "web-1", "--json");

  const { stdout } = await stage.run("history", "web-1", "--json");

  const { entries } = JSON.parse(stdout) as { entries: object[] };
  const { fingerprint } = pushed.result;
  expect(entries).toMatchObject([{ host: "web-1", outcome: "verified", fingerprint }]);
});
