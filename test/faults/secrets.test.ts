import { statSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { findLeaks, tracesBelow } from "../support/canaries.ts";
import type { Trace } from "../support/canaries.ts";
import { entryOf, hostToken, readHostFile } from "../support/host-state.ts";
import { hasSshd } from "../support/sshd.ts";
import { hasStrace } from "../support/strace.ts";
import { openTracedStage } from "../support/traced-stage.ts";

describe.skipIf(!hasSshd || !hasStrace)("no secret", () => {
  test("is seen anywhere but in its file, through a cure, a rollback and a failure", async () => {
    await using scene = await openTracedStage();
    const { stage, canaries, logInWith } = scene;

    const cure = await scene.push("-v", "--json");
    expect(cure.code).toBe(0);
    const cured = readHostFile(stage);
    expect(cured).toContain(canaries["access"]);
    logInWith("BAD", "bad");
    const rollback = await scene.push("-v");
    expect(rollback.stdout).toContain("rolled-back");
    scene.configure({ configDir: "/proc/nowhere" });
    const failure = await scene.push("-v", "--json");
    expect(failure.code).toBe(10);

    const traces = scene.traces();
    expect(total(traces)).toBeGreaterThan(100_000);
    expect(findLeaks(traces, canaries)).toEqual([]);
    expect(readHostFile(stage)).toBe(cured);
  });

  test("of the laptop's refresh token or MCP logins reaches the host, not a byte on any stream", async () => {
    await using scene = await openTracedStage();
    const { canaries, stage } = scene;

    const cure = await scene.push("--json");
    expect(cure.code).toBe(0);

    const received = scene.received();
    expect(findLeaks([received], { access: canaries["access"] ?? "" })).not.toEqual([]);
    const { refresh = "", mcpOfLaptop = "" } = canaries;
    const host = [received, ...tracesBelow(stage.sshd.directory)];
    expect(findLeaks(host, { refresh, mcpOfLaptop })).toEqual([]);
  });

  test("is in a copy that others could read", async () => {
    await using scene = await openTracedStage();
    const { stage, canaries } = scene;
    await scene.push("--json");

    const folder = dirname(stage.hostFile);
    const holders = tracesBelow(folder).filter((trace) => findLeaks([trace], canaries).length > 0);

    expect(holders.map(({ where }) => where.replace(/\d{8}T.*?\//, "…/")).sort()).toEqual([
      ".credentials.json",
      ".sync-creds/backups/…/1/backup",
    ]);
    for (const { where } of holders) {
      expect(statSync(join(folder, where)).mode & 0o777).toBe(0o600);
    }
    expect(statSync(join(folder, ".sync-creds")).mode & 0o777).toBe(0o700);
  });

  test("that a failing restart prints, or the wrapper's log holds, comes back to the screen", async () => {
    await using scene = await openTracedStage();
    const { stage, canaries } = scene;
    await scene.push("--json");
    const cured = readHostFile(stage);
    scene.logInWith("", "access2");
    const tell = "cat ~/bearer; echo; cat ~/.claude/.credentials.json";
    scene.configure({
      restart: { kind: "command", restart: `${tell}; (${tell}) >~/told; exit 3`, log: "~/told" },
    });

    const outputs = [await scene.push("-v"), await scene.push("-v", "--json")];

    for (const { code, stdout, stderr } of outputs) {
      expect([10, 11]).toContain(code);
      expect(stdout).toContain("exit status 3");
      const traces = [stdout, stderr].map((text) => ({
        where: "the output",
        bytes: Buffer.from(text),
      }));
      expect(findLeaks(traces, canaries)).toEqual([]);
    }
    expect(readHostFile(stage)).toBe(cured);
  });
});

describe.skipIf(!hasSshd || !hasStrace)("the search for secrets", () => {
  test.each([
    ["a log", "cat ~/.claude/.credentials.json;", "wrapper.log"],
    [
      "an argument list",
      `/bin/echo "$(cat ~/.claude/.credentials.json)" >/dev/null;`,
      "sshd.strace",
    ],
    ["an environment", `LEAK="$(cat ~/.claude/.credentials.json)" /bin/true;`, "sshd.strace"],
    ["base64", "base64 ~/.claude/.credentials.json;", "wrapper.log"],
    ["hex", "od -An -v -tx1 ~/.claude/.credentials.json | tr -d ' \\n';", "wrapper.log"],
  ])("finds one that a leaky restart command puts into %s", async (_place, leak, where) => {
    await using scene = await openTracedStage();
    const { restart } = entryOf(scene.stage);
    scene.configure({ restart: { ...restart, command: `${leak} ${restart.command}` } });

    const { code } = await scene.push("--json");

    expect(code).toBe(0);
    const { access = "" } = scene.canaries;
    expect(findLeaks(scene.traces(), { access }).join("\n")).toContain(where);
    expect(hostToken(scene.stage)).toContain(access);
  });
});

function total(traces: readonly Trace[]): number {
  return traces.reduce((sum, { bytes }) => sum + bytes.length, 0);
}
