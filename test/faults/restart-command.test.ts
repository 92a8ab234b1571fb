import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { wrapperPid } from "../support/host-state.ts";
import { expectNewProven, expectOldWhole } from "../support/promises.ts";
import { hasSshd } from "../support/sshd.ts";
import { PUSH, openStage, renderHostLogin, tokens } from "../support/stage.ts";
import type { Stage } from "../support/stage.ts";

const OLD = renderHostLogin(tokens.other);

/** Stops what runs and starts it anew, as a careful person's script would. */
const RESTART = `
stop() { kill "$1" 2>/dev/null; while kill -0 "$1" 2>/dev/null; do sleep 0.02; done; }
[ ! -e loop ] || { kill -KILL "-$(cat loop)" && rm loop; }
stop "$(sed 's/.*"pid":\\([0-9]*\\).*/\\1/' state.json)"
is_new() { grep -q "${tokens.good}" ~/.claude/.credentials.json; }
start() { setsid sh -c "$1" </dev/null >>wrapper.log 2>&1 & }
`;

/** A stage whose wrapper is restarted by a script of its own. `%` in the script stands for the wrapper's command. */
async function openScripted(
  script: string,
  restart: Record<string, unknown> = {},
  host: Record<string, unknown> = {},
): Promise<Stage> {
  const wrapperArguments = ["--state", "state.json"];
  const stage = await openStage({ hostFile: OLD, running: true, wrapperArguments });
  const file = join(stage.directory, "restart.sh");
  writeFileSync(file, `cd "${stage.directory}"\n${script.replaceAll("%", stage.command)}\n`);
  const command = { kind: "command", restart: `sh ${file}`, log: "~/wrapper/wrapper.log" };
  stage.configure({ ...host, restart: { ...command, ...restart } }, { startTimeoutMs: 2000 });
  return stage;
}

/** The old file is back, and the wrapper answers as before. */
async function expectAsBefore(stage: Stage): Promise<void> {
  expect(await stage.chat("say pong")).toBe("pong");
  await expectOldWhole(stage.hostFile, OLD);
}

describe.skipIf(!hasSshd)("a restart command", () => {
  test("that works, works", async () => {
    await using stage = await openScripted(`${RESTART} start "%"`);
    await expectNewProven(stage, await stage.run(...PUSH));
  });

  test("that fails takes the change back, and its words are shown", async () => {
    await using stage = await openScripted(
      'seq 3; echo; echo "no such container: wrapper" >&2; exit 3',
    );
    const { result, code } = await stage.run(...PUSH);
    expect(result).toMatchObject({ outcome: "rolled-back", code: "RESTART_FAILED" });
    expect(result.why).toContain("exit status 3 1 2 3  no such container: wrapper");
    expect(code).toBe(10);
    await expectAsBefore(stage);
  });

  test("that hangs is ended, and the change taken back", async () => {
    await using stage = await openScripted("echo stuck; sleep 600", { timeoutMs: 1000 });
    const { result, code } = await stage.run(...PUSH);
    expect(result).toMatchObject({ outcome: "rolled-back", code: "RESTART_FAILED" });
    expect(result.why).toContain("did not end in time");
    expect(code).toBe(10);
    await expectAsBefore(stage);
  });

  test("that does nothing does not count: the old process still holds the port", async () => {
    await using stage = await openScripted("exit 0");
    const before = await wrapperPid(stage);
    const { result, code } = await stage.run(...PUSH);
    expect(result).toMatchObject({ outcome: "rolled-back", code: "RESTART_FAILED" });
    expect(result.why).toContain("the old process still holds the port");
    expect(code).toBe(10);
    expect(await wrapperPid(stage)).toBe(before);
    await expectAsBefore(stage);
  });

  test("whose service then crashes again and again takes the change back", async () => {
    const respawn = "setsid sh loop.sh </dev/null >>wrapper.log 2>&1 & echo $! >loop";
    await using stage = await openScripted(
      `${RESTART} if is_new; then ${respawn}; else start "%"; fi`,
      {},
      { stabilityMs: 1500 },
    );
    const dying = `${stage.command.replace("exec ", "")} --exit-after-ms 50`;
    writeFileSync(join(stage.directory, "loop.sh"), `while :; do ${dying}; sleep 0.2; done\n`);
    const { result } = await stage.run(...PUSH);
    expect(result).toMatchObject({ outcome: "rolled-back", code: "RESTART_FAILED" });
    expect(result.why).toContain("did not stay up");
    await expectAsBefore(stage);
  });

  test("that prints ten megabytes costs nothing but their last lines", async () => {
    const noise = "head -c 10485760 /dev/zero | tr '\\0' 'x'; echo; echo the end";
    await using stage = await openScripted(`${RESTART} ${noise}; start "%"`);
    await expectNewProven(stage, await stage.run(...PUSH));

    writeFileSync(join(stage.directory, "restart.sh"), `${noise}; exit 4`);
    stage.logIn(tokens.other);
    const { result, stdout } = await stage.run(...PUSH);
    expect(result).toMatchObject({ outcome: "rolled-back", code: "RESTART_FAILED" });
    expect(result.why).toContain("the end");
    expect(stdout.length).toBeLessThan(100_000);
  });

  test("that wants an answer finds the end of its input, not our conversation", async () => {
    await using stage = await openScripted(
      `read -r answer && echo "got $answer" >input; ${RESTART} start "%"`,
    );
    await expectNewProven(stage, await stage.run(...PUSH));
  });

  test("that leaves something in the background, its output open, does not hold us", async () => {
    await using stage = await openScripted(`${RESTART} start "%"; sleep 20 &`);
    await expectNewProven(stage, await stage.run(...PUSH));
  });
});

test.skipIf(!hasSshd)(
  "a wrapper that reads its login at each request needs no restart",
  async () => {
    await using stage = await openStage({
      hostFile: OLD,
      running: true,
      host: { restart: { kind: "none" } },
    });
    const before = await wrapperPid(stage);
    await expectNewProven(stage, await stage.run(...PUSH));
    expect(await wrapperPid(stage)).toBe(before);
  },
);

test.skipIf(!hasSshd)(
  "a wrapper that reads it once, but is not restarted, is not called proven by its old login",
  async () => {
    const host = { restart: { kind: "none" } };
    const dead = renderHostLogin(tokens.bad);
    await using stage = await openStage({
      hostFile: dead,
      running: true,
      host,
      wrapperArguments: ["--read", "start"],
    });
    const { result } = await stage.run(...PUSH);
    expect(result).toMatchObject({ outcome: "rolled-back", code: "token-revoked" });
    await expectOldWhole(stage.hostFile, dead);
  },
);
