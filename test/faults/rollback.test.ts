import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { backupsOf, expectOldFile, readHostFile } from "../support/host-state.ts";
import { hasSshd } from "../support/sshd.ts";
import { openStage, renderHostLogin, tokens } from "../support/stage.ts";
import type { Stage } from "../support/stage.ts";
import { until } from "../support/until.ts";

const old = renderHostLogin(tokens.slow);
const BACK = ["rollback", "web-1", "--json"] as const;

/** A host whose former login takes four seconds over an answer, so that the test can act meanwhile. */
async function openPushed(): Promise<{ stage: Stage; pushed: string | undefined }> {
  const stage = await openStage({
    hostFile: old,
    host: { confirmTimeoutMs: 5000 },
    wrapper: { baselineTimeoutMs: 1000 },
    running: true,
  });
  expect((await stage.run("push", "web-1", "--json")).result.outcome).toBe("verified");
  return { stage, pushed: readHostFile(stage) };
}

describe.skipIf(!hasSshd)("a rollback that is cut off before its verdict", () => {
  test("by SIGKILL is taken back by the host itself", async () => {
    const { stage, pushed } = await openPushed();
    await using _ = stage;
    const run = stage.start(...BACK);
    await run.reached("smoke");
    expect(readHostFile(stage)).toBe(old);
    run.kill("SIGKILL");
    await run.ended;

    await until("the host went back by itself", () => readHostFile(stage) === pushed, 40_000);
    const pending = join(dirname(stage.hostFile), ".sync-creds", "pending");
    await until("the change is over", () => !existsSync(pending), 40_000);

    expectOldFile(stage, pushed);
    expect(await stage.chat("say pong")).toBe("pong");
    expect(backupsOf(stage)).toHaveLength(1);
  });

  test("by Ctrl-C is taken back, and ends with 130", async () => {
    const { stage, pushed } = await openPushed();
    await using _ = stage;
    const run = stage.start(...BACK);
    await run.reached("smoke");
    run.kill("SIGINT");

    const ended = await run.ended;

    expect(ended.code).toBe(130);
    expect(ended.result).toMatchObject({
      outcome: "rolled-back",
      code: "INTERRUPTED",
      state: "back to what it had before the rollback, and answering again",
    });
    expectOldFile(stage, pushed);
    expect(await stage.chat("say pong")).toBe("pong");
  });
});
