import { existsSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { entryOf, expectOldFile, expectProven, readHostFile } from "../support/host-state.ts";
import { hasSshd } from "../support/sshd.ts";
import { openStage, renderHostLogin, tokens } from "../support/stage.ts";
import type { Stage, StageOptions } from "../support/stage.ts";
import { until } from "../support/until.ts";

const old = renderHostLogin(tokens.other);
const PUSH = ["push", "web-1", "--json"] as const;

/** A push that stays at the question for a while, so that the test can act meanwhile. */
async function openSlowStage(options: StageOptions = {}): Promise<Stage> {
  const stage = await openStage({ hostFile: old, running: true, ...options });
  stage.logIn(tokens.slow);
  return stage;
}

describe.skipIf(!hasSshd)("a push that is killed", () => {
  test.each(["connect", "probe", "install", "restart", "smoke"])(
    "at %s leaves the old file or the new one whole, and the next push ends verified",
    async (step) => {
      await using stage = await openSlowStage();
      const push = stage.start(...PUSH);
      await push.reached(step);
      push.kill("SIGKILL");
      await push.ended;
      const left = readHostFile(stage) ?? "";
      expect(left === old || JSON.parse(left)).toBeTruthy();

      const ended = await pushWhenFree(stage);

      await expectProven(stage, ended, tokens.good);
    },
  );

  test("while the wrapper was asked makes the host go back by itself, and the wrapper answer", async () => {
    await using stage = await openSlowStage({ host: { confirmTimeoutMs: 5000 } });
    const push = stage.start(...PUSH);
    await push.reached("smoke");
    push.kill("SIGKILL");
    await push.ended;
    expect(readHostFile(stage)).not.toBe(old);

    await until("the host went back by itself", () => readHostFile(stage) === old, 30_000);

    await until("the change is over", () => !existsSync(pendingOf(stage)), 30_000);
    expectOldFile(stage, old);
    expect(await stage.chat("as before")).toBe("before");
  });
});

describe.skipIf(!hasSshd)("Ctrl-C", () => {
  test.each(["connect", "probe"])("at %s ends with 130 and nothing changed", async (step) => {
    await using stage = await openSlowStage({ wrapperArguments: ["--answer-ms", "1000"] });
    const push = stage.start(...PUSH);
    await push.reached(step);
    push.kill("SIGINT");

    const ended = await push.ended;

    expect(ended.code).toBe(130);
    expect(ended.result).toMatchObject({ outcome: "not-attempted", code: "INTERRUPTED" });
    expect(ended.result.state).toBe("nothing was changed on the host");
    expectOldFile(stage, old);
  });

  test.each([
    ["install", "SIGINT"],
    ["restart", "SIGTERM"],
    ["smoke", "SIGINT"],
    ["smoke", "SIGHUP"],
  ] as const)("at %s (as %s) puts everything back and ends with 130", async (step, signal) => {
    await using stage = await openSlowStage();
    const push = stage.start(...PUSH);
    await push.reached(step);
    push.kill(signal);

    const ended = await push.ended;

    expect(ended.result).toMatchObject({ outcome: "rolled-back", code: "INTERRUPTED" });
    expect(ended.code).toBe(130);
    expectOldFile(stage, old);
    expect(await stage.chat("as before")).toBe("before");
  });

  test("twice ends at once; the next push finds what was left and ends verified", async () => {
    await using stage = await openSlowStage({ host: { stabilityMs: 1000 } });
    const push = stage.start(...PUSH);
    await push.reached("smoke");
    push.kill("SIGINT");
    await push.reached("rollback");
    push.kill("SIGINT");
    const interrupted = await push.ended;
    expect(interrupted.code).toBe(130);
    expect(interrupted.stdout).not.toContain('"type":"result"');

    const ended = await pushWhenFree(stage);

    await expectProven(stage, ended, tokens.good);
  });

  test("leaves a host that was not begun untouched", async () => {
    await using stage = await openSlowStage();
    const entry = entryOf(stage);
    writeFileSync(stage.hostsJson, JSON.stringify({ hosts: { "web-1": entry, "web-2": entry } }));
    const push = stage.start("push", "all", "--yes", "--json", "--concurrency", "1");
    await push.reached("smoke");
    push.kill("SIGINT");

    const ended = await push.ended;

    expect(ended.hosts.map(({ outcome }) => outcome)).toEqual(["rolled-back", "not-attempted"]);
    expect(ended.code).toBe(130);
    expectOldFile(stage, old);
  });
});

/** Pushes; waits first until the session of the one that was cut off has let go of the host. */
async function pushWhenFree(stage: Stage) {
  stage.logIn(tokens.good);
  let ended = await stage.run(...PUSH);
  await until("the former session is gone", async () => {
    if (ended.result.outcome === "busy") ended = await stage.run(...PUSH);
    return ended.result.outcome !== "busy";
  });
  return ended;
}

function pendingOf({ hostFile }: Stage): string {
  return join(dirname(hostFile), ".sync-creds", "pending");
}
