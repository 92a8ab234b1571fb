import {
  chmodSync,
  copyFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { expectNewProven, expectOldWhole } from "../support/promises.ts";
import { endProcesses, processesNaming } from "../support/processes.ts";
import { hasSshd } from "../support/sshd.ts";
import { PUSH, openStage, renderHostLogin, tokens } from "../support/stage.ts";
import type { Stage } from "../support/stage.ts";

const FAKE = fileURLToPath(new URL("../support/fake-systemctl", import.meta.url));
const OLD = renderHostLogin(tokens.other);
const UNIT = "claude-wrapper.service";

/** A stage whose host has a systemd with one unit: the wrapper. */
interface UnitStage extends AsyncDisposable {
  readonly stage: Stage;
  /** Every call of systemctl so far. */
  calls(): string;
  /** Tells the next starts how to go: `fail` or `crash`, so many times. */
  next(way: "fail" | "crash", times: number): void;
}

async function openUnitStage(scope: "system" | "user", unit = UNIT): Promise<UnitStage> {
  const folder = mkdtempSync(join(tmpdir(), "sync-creds-systemd-"));
  chmodSync(folder, 0o755);
  copyFileSync(FAKE, join(folder, "systemctl"));
  symlinkSync("systemctl", join(folder, "journalctl"));
  const restart = { kind: "systemd", unit, scope };
  const stage = await openStage({
    hostFile: OLD,
    sshd: { path: [folder] },
    host: { restart },
    running: true,
  });
  const facts = { unit: UNIT, scope, directory: stage.directory, command: stage.command };
  for (const [name, text] of Object.entries(facts)) writeFileSync(join(folder, name), `${text}\n`);
  const [running] = processesNaming(`${stage.directory}/wrapper.mjs`);
  writeFileSync(join(folder, "pid"), `${running?.pid ?? 0}\n`);
  return {
    stage,
    calls: () => readFileSync(join(folder, "calls"), "utf8"),
    next: (way, times) => writeFileSync(join(folder, way), `${times}\n`),
    async [Symbol.asyncDispose]() {
      endProcesses(() => processesNaming(folder));
      await stage[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    },
  };
}

describe.skipIf(!hasSshd)("a systemd unit", () => {
  test("of the system is restarted once, and the new login proven", async () => {
    await using host = await openUnitStage("system");
    await expectNewProven(host.stage, await host.stage.run(...PUSH));
    expect(host.calls().match(/^.*restart.*$/gm)).toEqual([
      expect.stringContaining(`restart ${UNIT}`),
    ]);
    expect(host.calls()).not.toContain("--user");
  });

  test("of a user is found through XDG_RUNTIME_DIR, which ssh does not set", async () => {
    await using host = await openUnitStage("user");
    await expectNewProven(host.stage, await host.stage.run(...PUSH));
    expect(host.calls()).toMatch(/--user.*restart.*\[\/run\/user\/\d+\]/);
  });

  test.each(["system", "user"] as const)(
    "that does not exist (%s) is refused before any change",
    async (scope) => {
      await using host = await openUnitStage(scope, "claude-wraper.service");
      const { result, code } = await host.stage.run(...PUSH);
      expect(result).toMatchObject({ outcome: "refused", code: "RESTART_FAILED" });
      expect(result.what).toContain("claude-wraper.service");
      expect(code).toBe(10);
      expect(host.calls()).not.toContain("restart");
      expect(await host.stage.chat("say pong")).toBe("pong");
      await expectOldWhole(host.stage.hostFile, OLD);
    },
  );

  test("that fails to start gets its old login back, and starts with it", async () => {
    await using host = await openUnitStage("system");
    host.next("fail", 1);
    const { result, code } = await host.stage.run(...PUSH);
    expect(result).toMatchObject({ outcome: "rolled-back", code: "RESTART_FAILED" });
    expect(result.why).toContain("Job for claude-wrapper.service failed");
    expect(result.logTail).toEqual(["unit: the last words"]);
    expect(result.state).toContain("answering again");
    expect(code).toBe(10);
    expect(await host.stage.chat("say pong")).toBe("pong");
    await expectOldWhole(host.stage.hostFile, OLD);
  });

  test("that is started and crashes again and again gets its old login back", async () => {
    await using host = await openUnitStage("system");
    host.next("crash", 1);
    const { result } = await host.stage.run(...PUSH);
    expect(result).toMatchObject({ outcome: "rolled-back", code: "RESTART_FAILED" });
    expect(result.why).toContain("ended by itself");
    expect(await host.stage.chat("say pong")).toBe("pong");
    await expectOldWhole(host.stage.hostFile, OLD);
  });

  test("that starts no more with the old login either is called what it is: a person is needed", async () => {
    await using host = await openUnitStage("system");
    host.next("fail", 2);
    const { result, code } = await host.stage.run(...PUSH);
    expect(result).toMatchObject({ outcome: "rollback-failed", code: "RESTART_FAILED" });
    expect(code).toBe(11);
    await expectOldWhole(host.stage.hostFile, OLD);
  });
});
