import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { entryOf, expectOldFile, expectProven, hostToken } from "../support/host-state.ts";
import { freePort, hasSshd } from "../support/sshd.ts";
import { openStage, renderHostLogin, tokens } from "../support/stage.ts";

const old = renderHostLogin(tokens.bad);

describe.skipIf(!hasSshd)("--json", () => {
  test.each([
    ["a success", tokens.good, 0],
    ["a failure", `${tokens.bad}-another`, 10],
  ])("writes nothing but NDJSON for %s, and the exit status last", async (_what, token, status) => {
    await using stage = await openStage({ hostFile: old, running: true });
    stage.logIn(token);

    const ended = await stage.run("push", "web-1", "--json");

    expect(ended.stdout.endsWith("}\n")).toBe(true);
    const lines = ended.stdout.trimEnd().split("\n");
    const events = lines.map(
      (line) => JSON.parse(line) as { type: string; [key: string]: unknown },
    );
    expect(events.slice(0, -1).map(({ type }) => type)).not.toContain("result");
    expect(new Set(events.map(({ type }) => type))).toEqual(
      new Set(["note", "step", "host", "result"]),
    );
    expect(events.at(-1)).toMatchObject({ type: "result", schemaVersion: 1, exitCode: status });
    expect(ended.code).toBe(status);
    if (status === 0) await expectProven(stage, ended, token);
    else expectOldFile(stage, old);
  });
});

describe.skipIf(!hasSshd)("without a terminal", () => {
  test("a push writes plain lines to stderr and one table to stdout, without escapes", async () => {
    await using stage = await openStage({ hostFile: old, running: true });

    const ended = await stage.run("push", "web-1");

    expect(ended.code).toBe(0);
    expect(ended.stderr).toMatch(/^web-1: connecting$/m);
    expect(ended.stderr).toMatch(/^web-1: verified \(\d+\.\d s\)$/m);
    expect(ended.stdout.trimEnd().split("\n")).toHaveLength(2);
    // oxlint-disable-next-line no-control-regex -- escapes are what it looks for
    expect(ended.stdout + ended.stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    expect(hostToken(stage)).toBe(tokens.good);
  });

  test("-q leaves the table, and the one line that says how the host ended", async () => {
    await using stage = await openStage({ hostFile: old, running: true });

    const ended = await stage.run("push", "web-1", "-q");

    expect(ended.code).toBe(0);
    expect(ended.stdout).toMatch(/web-1 +verified/);
    expect(ended.stderr).toMatch(/^web-1: verified \(.*\)\n$/);
    expect(hostToken(stage)).toBe(tokens.good);
  });
});

describe.skipIf(!hasSshd)("what stops a run before any host is touched", () => {
  test("an unknown target: exit 2, and what may have been meant", async () => {
    await using stage = await openStage({ hostFile: old });

    const ended = await stage.run("push", "web-l");

    expect(ended.code).toBe(2);
    expect(ended.stderr).toMatch(/did you mean.*web-1/i);
    expectUntouched(stage);
  });

  test("no target: exit 2, and what to type", async () => {
    await using stage = await openStage({ hostFile: old });

    const ended = await stage.run("push");

    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain("`sync-creds push prod`");
    expectUntouched(stage);
  });

  test("`all` without consent: exit 2, naming --yes", async () => {
    await using stage = await openStage({ hostFile: old });

    const ended = await stage.run("push", "all");

    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain("`--yes`");
    expectUntouched(stage);
  });

  test("an invalid hosts.json: exit 3, with file, line and column", async () => {
    await using stage = await openStage({ hostFile: old });
    writeFileSync(stage.hostsJson, '{\n  "hosts": {\n    "web-1": { "shh": "web-1" }\n  }\n}\n');

    const ended = await stage.run("push", "web-1");

    expect(ended.code).toBe(3);
    expect(ended.stderr).toContain("hosts.json:3:16");
    expect(ended.stderr).toMatch(/did you mean `ssh`/i);
    expectUntouched(stage);
  });

  test("a hosts.json that others may write: exit 3", async () => {
    await using stage = await openStage({ hostFile: old });
    chmodSync(stage.hostsJson, 0o666);

    const ended = await stage.run("push", "web-1", "--json");

    expect(ended.code).toBe(3);
    expect(JSON.parse(ended.stdout)).toMatchObject({ error: { code: "CONFIG_UNSAFE" } });
    expectUntouched(stage);
  });

  test("no credentials on the laptop: exit 4, and how to log in", async () => {
    await using stage = await openStage({ hostFile: old });
    rmSync(stage.laptopFile);

    const ended = await stage.run("push", "web-1");

    expect(ended.code).toBe(4);
    expect(ended.stderr).toContain("`claude`");
    expectUntouched(stage);
  });

  function expectUntouched(
    stage: Parameters<typeof expectOldFile>[0] & { sshd: { log(): string } },
  ) {
    expect(stage.sshd.log()).not.toContain("Connection from");
    expectOldFile(stage, old);
  }
});

describe.skipIf(!hasSshd)("two hosts of which one is down", () => {
  test("end as unreachable (exit 12), and the other one is cured all the same", async () => {
    await using stage = await openStage({ hostFile: old, running: true });
    const entry = entryOf(stage);
    const down = { ...entry, ssh: `${stage.sshd.user}@127.0.0.1:${await freePort()}` };
    writeFileSync(stage.hostsJson, JSON.stringify({ hosts: { "web-0": down, "web-1": entry } }));

    const ended = await stage.run("push", "all", "--yes", "--json");

    expect(ended.hosts.map(({ host, outcome }) => [host, outcome])).toEqual([
      ["web-0", "unreachable"],
      ["web-1", "verified"],
    ]);
    expect(ended.code).toBe(12);
    expect(await stage.chat("are you well")).toBe("well");
    expect(hostToken(stage)).toBe(tokens.good);
  });

  test("end with exit 10 when the other one is rolled back", async () => {
    await using stage = await openStage({ hostFile: old, running: true });
    stage.logIn(`${tokens.bad}-another`);
    const entry = entryOf(stage);
    const down = { ...entry, ssh: `${stage.sshd.user}@127.0.0.1:${await freePort()}` };
    writeFileSync(stage.hostsJson, JSON.stringify({ hosts: { "web-0": down, "web-1": entry } }));

    const ended = await stage.run("push", "all", "--yes", "--json");

    expect(ended.hosts.map(({ outcome }) => outcome)).toEqual(["unreachable", "rolled-back"]);
    expect(ended.code).toBe(10);
    expectOldFile(stage, old);
  });
});
