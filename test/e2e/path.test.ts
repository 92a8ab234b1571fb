import { spawn } from "node:child_process";
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { expectOldFile, expectProven, readHostFile } from "../support/host-state.ts";
import { hasSshd } from "../support/sshd.ts";
import { openStage, PUSH, renderHostLogin, tokens } from "../support/stage.ts";
import type { Stage } from "../support/stage.ts";

describe.runIf(hasSshd)("a wrapper whose programs stand in a PATH of its own", () => {
  test("is started with that PATH again, though a shell over ssh does not know it", async () => {
    await using stage = await openStage({ hostFile: renderHostLogin(tokens.other) });
    await startInOwnPath(stage);
    await expectProven(stage, await stage.run(...PUSH), tokens.good);
  });

  test("finds them on the way back too, when the new process has already ended", async () => {
    await using stage = await openStage({ hostFile: renderHostLogin(tokens.other) });
    const command = await startInOwnPath(stage);
    const before = readHostFile(stage);
    stage.configure({
      restart: {
        kind: "process",
        directory: "~/wrapper",
        command: `grep -q good-host ~/.claude/.credentials.json && ${command}`,
        log: "~/wrapper/wrapper.log",
      },
    });
    const { result } = await stage.run(...PUSH);
    expect(result).toMatchObject({ outcome: "rolled-back", code: "RESTART_FAILED" });
    expectOldFile(stage, before);
    expect(await stage.chat("still there?")).toBe("there?");
  });
});

/** Starts the wrapper by a name that only its own PATH knows, and tells hosts.json so; the command. */
async function startInOwnPath(stage: Stage): Promise<string> {
  const programs = join(stage.sshd.home, "programs");
  mkdirSync(programs);
  symlinkSync(process.execPath, join(programs, "only-here"));
  const command = stage.command.replace(`exec ${process.execPath}`, "exec only-here");
  stage.configure({
    restart: { kind: "process", directory: "~/wrapper", command, log: "~/wrapper/wrapper.log" },
  });
  const wrapper = spawn("/bin/sh", ["-c", command], {
    cwd: stage.directory,
    detached: true,
    env: { HOME: stage.sshd.home, PATH: `${programs}:${process.env["PATH"]}` },
    stdio: "ignore",
  });
  wrapper.unref();
  await expect.poll(() => stage.chat("up?"), { timeout: 10_000 }).toBe("up?");
  return command;
}
