import { describe, expect, test } from "vitest";
import { SyncCredsError } from "../../../src/errors.ts";
import type { RunEvent } from "../../../src/outcome.ts";
import type { Job, Run } from "../../../src/visit.ts";
import { findSharing, rollOut, verifyOneHolder } from "../../../src/rollout/rollout.ts";
import { Secret } from "../../../src/secret.ts";
import { fakePorts } from "../../support/fake-ports.ts";
import { hostEntry } from "../../support/host-entry.ts";

/** A job for a host; with `refresh`, its login is handed over. */
const jobOf = (name: string, refresh?: string): Job => ({
  host: hostEntry({ name }),
  offer: { block: new Secret("{}"), fingerprint: "aaaa0001", sentRefreshFingerprint: refresh },
  bearer: undefined,
  lastWritten: [],
});

const entry = (host: string, refreshFingerprint?: string) => ({
  at: 1,
  host,
  outcome: "verified",
  fingerprint: "aaaa0000",
  ...(refreshFingerprint === undefined ? {} : { refreshFingerprint }),
});

/** A run whose connections take turns and fail as `connect` says. */
function runOf(connect: Run["connect"], signal = new AbortController().signal) {
  const events: RunEvent[] = [];
  const run: Omit<Run, "turns"> = {
    waitMs: 0,
    ports: fakePorts(),
    connect,
    script: Buffer.alloc(0),
    who: "ann@laptop",
    purpose: { kind: "push" },
    dryRun: false,
    force: false,
    clearShadows: false,
    signal,
    emit: (event) => void events.push(event),
  };
  return { run, events };
}
const unreachable = (name: string) =>
  new SyncCredsError("HOST_UNREACHABLE", `${name} does not answer`);

describe("a refresh token has one holder", () => {
  test.each<[string, Job[], ReturnType<typeof entry>[]]>([
    ["no host", [], []],
    ["access tokens alone, to any number of hosts", [jobOf("a"), jobOf("b")], [entry("c")]],
    ["one hand-over", [jobOf("a", "r1"), jobOf("b")], []],
    ["a hand-over to the host that has it already", [jobOf("a", "r1")], [entry("a", "r1")]],
    ["a new login after another host had the old one", [jobOf("a", "r2")], [entry("b", "r1")]],
    ["access tokens of a login that was handed over", [jobOf("a")], [entry("b", "r1")]],
  ])("is kept by: %s", (_, jobs, ledger) => {
    expect(() =>
      verifyOneHolder(findSharing(jobs, { entries: ledger, damaged: [] })),
    ).not.toThrow();
  });

  test.each<[string, Job[], ReturnType<typeof entry>[], string]>([
    ["two hand-overs", [jobOf("a", "r1"), jobOf("b", "r1")], [], "a and b"],
    ["a second one behind others", [jobOf("x"), jobOf("a", "r1"), jobOf("b", "r1")], [], "a and b"],
    ["one that another host has had", [jobOf("a", "r1")], [entry("b", "r1")], "a and b"],
  ])("is not kept by: %s", (_, jobs, ledger, names) => {
    let thrown: unknown;
    try {
      verifyOneHolder(findSharing(jobs, { entries: ledger, damaged: [] }));
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(SyncCredsError);
    expect(thrown).toMatchObject({
      code: "TOKEN_SHARED",
      why: `${names} would share a single-use refresh token: the first to renew logs the other out`,
      next: [
        expect.stringContaining('"delivery": "access-token"'),
        expect.any(String),
        expect.stringContaining("--share-refresh-token"),
      ],
    });
  });
});

describe("rolling out", () => {
  test("every host has its own result, in the order asked for, whoever ends first", async () => {
    const { run } = runOf(async ({ name }) => {
      const turns = name === "a" ? 20 : 1;
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      throw name === "b" ? new TypeError("a bug") : unreachable(name);
    });
    const results = await rollOut([jobOf("a"), jobOf("b"), jobOf("c")], run, { concurrency: 10 });
    expect(results.map(({ host, outcome, code }) => [host, outcome, code])).toEqual([
      ["a", "unreachable", "HOST_UNREACHABLE"],
      ["b", "failed", "BUG"],
      ["c", "unreachable", "HOST_UNREACHABLE"],
    ]);
  });

  test.each([1, 2, 10])("no more than %i at a time", async (concurrency) => {
    let now = 0;
    let most = 0;
    const { run } = runOf(async ({ name }) => {
      most = Math.max(most, ++now);
      for (let turn = 0; turn < 5; turn++) await Promise.resolve();
      now--;
      throw unreachable(name);
    });
    const jobs = ["a", "b", "c", "d", "e"].map((name) => jobOf(name));
    expect(await rollOut(jobs, run, { concurrency })).toHaveLength(5);
    expect(most).toBe(Math.min(concurrency, 5));
  });

  test("after Ctrl-C the hosts that wait are not attempted, and say so", async () => {
    const controller = new AbortController();
    const attempted: string[] = [];
    const { run, events } = runOf(async ({ name }) => {
      attempted.push(name);
      controller.abort();
      throw unreachable(name);
    }, controller.signal);
    const results = await rollOut([jobOf("a"), jobOf("b")], run, { concurrency: 1 });
    expect(attempted).toEqual(["a"]);
    expect(results[1]).toEqual({
      host: "b",
      outcome: "not-attempted",
      code: "INTERRUPTED",
      next: [],
      durationMs: 0,
    });
    expect(events.filter(({ type }) => type === "host")).toHaveLength(2);
  });

  test("no host at all is no work", async () => {
    const { run } = runOf(() => Promise.reject(new Error("never")));
    expect(await rollOut([], run, { concurrency: 10 })).toEqual([]);
  });
});
