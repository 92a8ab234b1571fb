import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { expectNewProven, expectOldWhole } from "../support/promises.ts";
import { hasSshd } from "../support/sshd.ts";
import { PUSH, openStage, renderHostLogin, tokens } from "../support/stage.ts";
import type { Stage } from "../support/stage.ts";
import { installSystemd } from "../support/systemd.ts";
import { until } from "../support/until.ts";

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
  const systemd = installSystemd();
  const restart = { kind: "systemd", unit, scope };
  const path = [systemd.folder];
  const stage = await openStage({ hostFile: OLD, sshd: { path }, host: { restart } });
  const { home } = stage.sshd;
  const text = [
    "[Service]",
    `Environment=HOME=${home} PATH=${process.env["PATH"]}`,
    `WorkingDirectory=${stage.directory}`,
    `ExecStart=/bin/sh -c '${stage.command}'`,
  ].join("\n");
  if (scope === "system") systemd.write(UNIT, text);
  else {
    const file = join(home, ".config/systemd/user", UNIT);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  const manager = scope === "user" ? ["--user"] : [];
  systemd.control([...manager, "start", UNIT], { HOME: home, XDG_RUNTIME_DIR: "/run/user/0" });
  await until("the unit answers", async () => (await stage.chat("up?")) !== undefined);
  return {
    stage,
    calls: () => systemd.calls(),
    next: (way, times) => systemd.next(way, times),
    async [Symbol.asyncDispose]() {
      systemd[Symbol.dispose]();
      await stage[Symbol.asyncDispose]();
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
    expect(result.logTail?.at(-1)).toBe(
      `${UNIT}: Main process exited, code=exited, status=1/FAILURE`,
    );
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
