import { appendFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { backupsOf, changesOf, expectOldFile, hostToken } from "../support/host-state.ts";
import { openFleet } from "../support/fleet.ts";
import { freePort, hasSshd } from "../support/sshd.ts";
import { renderHostLogin, tokens } from "../support/stage.ts";
import type { Ended, Stage } from "../support/stage.ts";
import { hasScript, openTerminal } from "../support/terminal.ts";

const OLD = renderHostLogin(tokens.other);
const running = { hostFile: OLD, running: true };

const outcomes = ({ hosts }: Ended) => hosts.map(({ host, outcome }) => `${host} ${outcome}`);
const connections = ({ sshd }: Stage) => sshd.log().split("Connection from").length - 1;

describe.skipIf(!hasSshd)("a push to several hosts", () => {
  test("looks at all of them before it changes the first, and verifies each", async () => {
    await using fleet = await openFleet(3, () => running);

    const ended = await fleet.laptop.run("push", "all", "--yes", "--json");

    expect(outcomes(ended)).toEqual(["web-1 verified", "web-2 verified", "web-3 verified"]);
    expect(ended.code).toBe(0);
    const steps = ended.stdout.split("\n").flatMap((line) => {
      const event = line === "" ? {} : (JSON.parse(line) as { type?: string; step?: string });
      return event.type === "step" ? [event.step ?? ""] : [];
    });
    expect(steps.lastIndexOf("probe")).toBeLessThan(steps.indexOf("install"));
  });

  test("with a canary: a bad login is found by one host and reaches no other", async () => {
    await using fleet = await openFleet(3, () => running);
    fleet.configure({ groups: { prod: { hosts: ["web-1", "web-2", "web-3"], canary: "web-2" } } });
    fleet.laptop.logIn(tokens.bad);

    const ended = await fleet.laptop.run("push", "prod", "--json");

    expect(outcomes(ended)).toEqual([
      "web-1 not-attempted",
      "web-2 rolled-back",
      "web-3 not-attempted",
    ]);
    expect(ended.hosts[0]).toMatchObject({ code: "STOPPED", why: "web-2 rolled-back" });
    expect(ended.stdout).toContain("order: web-2 first and alone; any failure stops it");
    expect(ended.code).toBe(10);
    for (const host of fleet.hosts) expectOldFile(host, OLD);
  });

  test("tells the order in which it would go, before anything happens", async () => {
    await using fleet = await openFleet(2, () => running);
    const prod = { hosts: ["web-1", "web-2"], canary: "web-2", waves: [1, "50%"], maxFailures: 1 };
    fleet.configure({ groups: { prod, eu: { hosts: ["web-1"], waves: [1] } } });

    const { stderr } = await fleet.laptop.run("plan", "prod");

    expect(stderr).toContain(
      "order: web-2 first and alone, then waves of 1, 50%; more failures than 1 stop it\n",
    );
    expect((await fleet.laptop.run("plan", "web-1")).stderr).not.toContain("order:");
    const both = await fleet.laptop.run("plan", "prod", "eu");
    expect(both.stderr).toContain("the groups prod, eu want different orders, so none is followed");
  });

  test("connects anew to a host that was lost while it waited for its wave", async () => {
    await using fleet = await openFleet(2, (at) => ({
      ...running,
      wrapperArguments: at === 1 ? ["--answer-ms", "1500"] : [],
    }));
    const push = fleet.laptop.start("push", "all", "--yes", "--json", "--waves", "1");
    await push.reached("smoke", "web-1");
    fleet.hosts[1]!.sshd.dropConnections();

    expect(outcomes(await push.ended)).toEqual(["web-1 verified", "web-2 verified"]);
    expect(changesOf(fleet.hosts[1]!)).toEqual(["committed"]);
  });

  test("leaves nobody out for the faults of others: one dead, one with another key, one that fails", async () => {
    await using fleet = await openFleet(3, () => running);
    const [first, second] = fleet.hosts;
    fleet.configure({
      hosts: {
        "web-2": { restart: { kind: "command", restart: "exit 7" } },
        "web-4": { ...entryOf(first!), ssh: `root@127.0.0.1:${await freePort()}` },
        "web-5": { ...entryOf(first!), hostKey: `SHA256:${"A".repeat(43)}` },
      },
    });

    const ended = await fleet.laptop.run("push", "all", "--yes", "--json");

    expect(outcomes(ended)).toEqual([
      "web-1 verified",
      "web-2 rolled-back",
      "web-3 verified",
      "web-4 unreachable",
      "web-5 refused",
    ]);
    expect(ended.code).toBe(10);
    expectOldFile(second!, OLD);
  });

  test("counts hosts out of reach among the failures, unless they are to be left out", async () => {
    await using fleet = await openFleet(1, () => running);
    fleet.configure({
      hosts: {
        "web-2": { ...entryOf(fleet.laptop), ssh: `root@127.0.0.1:${await freePort()}` },
      },
    });
    const push = ["push", "web-1", "web-2", "--json", "--max-failures", "0"];

    const stopped = await fleet.laptop.run(...push);
    expect(outcomes(stopped)).toEqual(["web-1 not-attempted", "web-2 unreachable"]);
    expect(stopped.code).toBe(10);
    expectOldFile(fleet.laptop, OLD);

    const skipped = await fleet.laptop.run(...push, "--unreachable", "skip");
    expect(outcomes(skipped)).toEqual(["web-1 verified", "web-2 unreachable"]);
    expect(skipped.code).toBe(0);
  });

  test.each([
    ["at once", []],
    ["in an atomic run", ["--atomic"]],
  ])("that is one host under two names changes it once: %s", async (_how, more) => {
    await using fleet = await openFleet(1, () => running);
    fleet.configure({ hosts: { "web-one": entryOf(fleet.laptop) } });

    const ended = await fleet.laptop.run("push", "all", "--yes", "--json", ...more);

    expect(outcomes(ended).toSorted()).toEqual(["web-1 verified", "web-one unchanged"]);
    expect(backupsOf(fleet.laptop)).toHaveLength(1);
  });

  test.skipIf(!hasScript)("asks only about the hosts that would change", async () => {
    await using fleet = await openFleet(2, () => running);
    await fleet.laptop.run("push", "web-1");

    const terminal = openTerminal(fleet.laptop, ["push", "all"]);
    await terminal.shows(/Push [0-9a-f]{8} to web-2\?/);
    terminal.type("n\r");

    expect(await terminal.ended).toBe(130);
    expectOldFile(fleet.hosts[1]!, OLD);
  });

  test("takes the waves that the command line names, and refuses what is no wave", async () => {
    await using fleet = await openFleet(1, () => running);
    const bad = await fleet.laptop.run("push", "web-1", "--waves", "1,0");
    expect(bad.code).toBe(2);
    expect(bad.stderr).toContain("`0` is no size of a wave");
    const stray = await fleet.laptop.run("push", "web-1", "--canary", "web-9");
    expect(stray.code).toBe(2);
    expect(stray.stderr).toContain("the canary web-9 is not among the targets");
    expect(connections(fleet.laptop)).toBe(0);
  });
});

describe.skipIf(!hasSshd)("an atomic push", () => {
  test("returns the hosts that were proven when another one fails", async () => {
    await using fleet = await openFleet(3, () => running);
    fleet.configure({ hosts: { "web-3": { restart: { kind: "command", restart: "exit 7" } } } });

    const ended = await fleet.laptop.run("push", "all", "--yes", "--json", "--atomic");

    expect(outcomes(ended)).toEqual([
      "web-1 rolled-back",
      "web-2 rolled-back",
      "web-3 rolled-back",
    ]);
    expect(ended.hosts[0]).toMatchObject({ code: "STOPPED" });
    expect(ended.hosts[0]?.state).toContain("and answering again");
    expect(ended.code).toBe(10);
    for (const host of fleet.hosts) {
      expectOldFile(host, OLD);
      expect(await host.chat("as before")).toBe("before");
    }
  });

  test("keeps all of them when all are proven, though only one may change at a time", async () => {
    await using fleet = await openFleet(2, () => running);
    const atomic = ["push", "all", "--yes", "--json", "--atomic", "--concurrency", "1"];

    const ended = await fleet.laptop.run(...atomic);

    expect(outcomes(ended)).toEqual(["web-1 verified", "web-2 verified"]);
    for (const host of fleet.hosts) expect(hostToken(host)).toBe(tokens.good);
  });
});

describe.skipIf(!hasSshd)("a push that was killed", () => {
  test("is finished by --resume: exactly the hosts that are not verified", async () => {
    await using fleet = await openFleet(3, (at) => ({
      ...running,
      host: { confirmTimeoutMs: 5000 },
      wrapperArguments: at === 2 ? ["--answer-ms", "1500"] : [],
    }));
    const carefully = ["push", "all", "--yes", "--json", "--canary", "web-1", "--waves", "1"];
    const push = fleet.laptop.start(...carefully);
    await push.reached("smoke", "web-2");
    push.kill("SIGKILL");
    await push.ended;
    const before = connections(fleet.hosts[0]!);

    const resumed = await fleet.laptop.run(...carefully, "--resume", "--wait", "30");

    expect(outcomes(resumed)).toEqual(["web-2 verified", "web-3 verified"]);
    expect(resumed.stdout).toContain("left out: web-1");
    expect(connections(fleet.hosts[0]!)).toBe(before);
    for (const host of fleet.hosts) expect(hostToken(host)).toBe(tokens.good);
    // The hosts themselves know of one change each, and of the one that was taken back.
    expect(fleet.hosts.map(changesOf)).toEqual([
      ["committed"],
      [expect.stringMatching(/^(?:recovered|dead-man)$/), "committed"],
      ["committed"],
    ]);
    const again = await fleet.laptop.run("push", "all", "--yes", "--json", "--resume");
    expect(again.code).toBe(0);
    expect(again.hosts).toEqual([]);
    // Nobody is left to be asked about.
    const { stdout } = await fleet.laptop.run("push", "all", "--resume");
    expect(stdout).toBe("no host is left to go to\n");
  });

  test.each([
    ["a damaged line of the ledger", '{"at":17,"host":"web-\n'],
    ["one that was torn off in the middle", '{"at":17,"host":"web-'],
  ])("%s is told and survived, and spoils no other", async (_what, line) => {
    await using fleet = await openFleet(1, () => running);
    await fleet.laptop.run("push", "web-1");
    const path = join(fleet.laptop.laptop, "state", "sync-creds", "ledger.jsonl");
    appendFileSync(path, line);

    const ended = await fleet.laptop.run("push", "web-1", "--json");

    expect(ended.result.outcome).toBe("unchanged");
    expect(ended.stdout).toContain("lines that cannot be read: 2");
    expect(readFileSync(path, "utf8").split("\n")).toHaveLength(4);
    const { stdout } = await fleet.laptop.run("history", "--json");
    expect(JSON.parse(stdout)).toMatchObject({
      entries: [{ outcome: "verified" }, { outcome: "unchanged" }],
      damaged: [2],
    });
  });
});

function entryOf(stage: Stage): Record<string, unknown> {
  const file: { hosts: Record<string, Record<string, unknown>> } = JSON.parse(
    readFileSync(stage.hostsJson, "utf8"),
  );
  return file.hosts["web-1"] ?? {};
}
