import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { CONFIG, SWITCHED, openApp } from "../support/app-stage.ts";
import type { App } from "../support/app-stage.ts";
import { backupsOf, expectSettled } from "../support/host-state.ts";
import { hasSshd } from "../support/sshd.ts";
import { openStage, renderHostLogin, tokens } from "../support/stage.ts";
import type { Stage } from "../support/stage.ts";
import { until } from "../support/until.ts";

const ON = ["switch", "web-1", "fallback", "on", "--json"] as const;

/** An app that takes its time over its first answer after the switch, so that the test can act meanwhile. */
async function openSlow(
  more: readonly string[] = ["--perplexity slow"],
  timeoutMs = 20_000,
): Promise<{ stage: Stage; app: App }> {
  const stage = await openStage({ hostFile: renderHostLogin(tokens.good), running: true });
  const app = await openApp(stage, more);
  const wrapper = { ...(app.fallback["wrapper"] as object), timeoutMs };
  const fallback = { ...app.fallback, wrapper };
  stage.configure({ confirmTimeoutMs: 5000, switches: { fallback } });
  return { stage, app };
}

const pendingOf = ({ hostFile }: Stage) => join(dirname(hostFile), ".sync-creds", "pending");

describe.skipIf(!hasSshd)("a switch that is killed", () => {
  test("before its verdict is put back by the host itself, byte for byte, and the app restarted", async () => {
    const { stage, app } = await openSlow();
    await using _ = stage;
    const run = stage.start(...ON);
    await run.reached("smoke");
    expect(app.config()).toBe(SWITCHED);
    await until(
      "the app has restarted",
      async () => (await app.health())?.provider === "perplexity",
    );
    run.kill("SIGKILL");
    await run.ended;

    await until("the text is back", () => app.config() === CONFIG, 40_000);
    await until("the change is over", () => !existsSync(pendingOf(stage)), 40_000);

    expect(readFileSync(app.configFile, "utf8")).toBe(CONFIG);
    expect(await app.health()).toMatchObject({ provider: "claude" });
    expect(await app.ask("say pong")).toBe("pong");
    expectSettled(stage);
  });

  test("is recovered by the next run, whatever that is for", async () => {
    const { stage, app } = await openSlow();
    await using _ = stage;
    stage.configure({ confirmTimeoutMs: 60_000, switches: { fallback: app.fallback } });
    const run = stage.start(...ON);
    await run.reached("smoke");
    run.kill("SIGKILL");
    await run.ended;

    let ended = await stage.run("push", "web-1", "--json");
    await until("the former session is gone", async () => {
      if (ended.result.outcome === "busy") ended = await stage.run("push", "web-1", "--json");
      return ended.result.outcome !== "busy";
    });

    expect(ended.result.outcome).toBe("verified");
    expect(app.config()).toBe(CONFIG);
    expect(await app.ask("say pong")).toBe("pong");
  });
});

describe.skipIf(!hasSshd)("while a switch is under way", () => {
  test("Ctrl-C puts the text back and ends with 130; a second run meanwhile is told to wait", async () => {
    const { stage, app } = await openSlow();
    await using _ = stage;
    const run = stage.start(...ON);
    await run.reached("smoke");

    const other = await stage.run("rollback", "web-1", "--json");
    run.kill("SIGINT");
    const ended = await run.ended;

    expect(other.result).toMatchObject({ outcome: "busy", code: "LOCKED" });
    expect(other.code).toBe(13);
    expect(ended.code).toBe(130);
    expect(ended.result).toMatchObject({ outcome: "rolled-back", code: "INTERRUPTED" });
    expect(app.config()).toBe(CONFIG);
    expect(await app.ask("say pong")).toBe("pong");
  });

  test("what somebody else writes into the file stays, and the former text is kept", async () => {
    const { stage, app } = await openSlow(["--perplexity unavailable"], 5000);
    await using _ = stage;
    const theirs = SWITCHED.replace("WRITER", "AUTHOR");
    const run = stage.start(...ON);
    await run.reached("smoke");
    writeFileSync(app.configFile, theirs);

    const ended = await run.ended;

    expect(ended.result).toMatchObject({ outcome: "conflict" });
    expect(ended.result.state).toContain("it was left alone");
    expect(app.config()).toBe(theirs);
    const [kept = ""] = backupsOf(stage);
    const copy = join(dirname(stage.hostFile), ".sync-creds/backups", kept, "1/backup");
    expect(readFileSync(copy, "utf8")).toBe(CONFIG);
    const listed = await stage.run("backups", "web-1", "--json");
    expect(listed.result.backups).toMatchObject([{ what: "switch fallback on, set aside" }]);
    expectSettled(stage);
  });
});
