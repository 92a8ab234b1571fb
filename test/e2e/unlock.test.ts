import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { hostToken } from "../support/host-state.ts";
import { hasSshd } from "../support/sshd.ts";
import { openStage, PUSH, renderHostLogin, tokens } from "../support/stage.ts";
import type { Running, Stage } from "../support/stage.ts";
import { hasScript, openTerminal } from "../support/terminal.ts";

const OLD = renderHostLogin(tokens.other);
const ENTER = "\r";

/** A push that holds the lock: its laptop was stopped between restart and verdict, and the host waits for it. */
async function stuckPush(stage: Stage): Promise<Running> {
  const push = stage.start(...PUSH);
  await push.reached("smoke");
  push.kill("SIGSTOP");
  return push;
}

const open = () =>
  openStage({
    hostFile: OLD,
    running: true,
    wrapperArguments: ["--answer-ms", "1500"],
    // Long enough for the lock to be held until the test has ended it.
    host: { confirmTimeoutMs: 60_000 },
  });

const lockOf = ({ hostFile }: Stage) => join(dirname(hostFile), ".sync-creds", "lock");

describe.skipIf(!hasSshd)("unlock", () => {
  test("of a host that nobody works on says so, and that is no failure", async () => {
    await using stage = await open();

    const ended = await stage.run("unlock", "web-1");

    expect([ended.code, ended.stdout]).toEqual([0, "web-1: nobody holds its lock\n"]);
  });

  test("shows the holder where nobody can answer, and changes nothing", async () => {
    await using stage = await open();
    const push = await stuckPush(stage);

    const ended = await stage.run("unlock", "web-1");

    expect(ended.code).toBe(13);
    expect(ended.stdout).toMatch(/why +by \S+@\S+, taken \d+ s ago \(run [0-9a-f]{16}\)/);
    expect(ended.stdout).toContain("`sync-creds unlock web-1 --yes`");
    expect(existsSync(lockOf(stage))).toBe(true);
    push.kill("SIGKILL");
  });

  test("--yes ends the run; the next push undoes its change first, and is verified", async () => {
    await using stage = await open();
    const push = await stuckPush(stage);
    expect((await stage.run(...PUSH)).result).toMatchObject({
      code: "LOCKED",
      next: ["Wait for it to end, then push again", expect.stringContaining("unlock web-1`")],
    });

    const ended = await stage.run("unlock", "web-1", "--yes");

    expect(ended.code).toBe(0);
    expect(ended.stdout).toMatch(/^web-1: free: the run of \S+@\S+, taken .* was ended\n$/);
    push.kill("SIGKILL");
    const next = await stage.run(...PUSH);
    expect(next.stdout).toContain('"step":"recover"');
    expect(next.result).toMatchObject({ outcome: "verified" });
    expect(hostToken(stage)).toBe(tokens.good);
  });

  test.skipIf(!hasScript)("asks on a terminal; no is the default", async () => {
    await using stage = await open();
    const push = await stuckPush(stage);
    const before = readFileSync(lockOf(stage), "utf8");

    const terminal = openTerminal(stage, ["unlock", "web-1"]);
    await terminal.shows(/End the run of \S+@\S+, taken \d+ s ago \(run [0-9a-f]{16}\)/);
    terminal.type(ENTER);

    expect(await terminal.ended).toBe(130);
    expect(stripVTControlCharacters(terminal.raw())).toContain("nothing was changed");
    expect(readFileSync(lockOf(stage), "utf8")).toBe(before);
    push.kill("SIGKILL");
  });
});
