import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { wrapperPid } from "../support/host-state.ts";
import { expectNewProven, expectOldWhole } from "../support/promises.ts";
import { hasSshd } from "../support/sshd.ts";
import { PUSH, openStage, renderHostLogin, tokens } from "../support/stage.ts";
import type { Stage } from "../support/stage.ts";

const OLD = renderHostLogin(tokens.other);
// hosts.json refuses what looks like a whole token.
const HAS_NEW = "grep -q CANARYgood-laptop ~/.claude/.credentials.json";

function startWith(stage: Stage, command: string, more: Record<string, unknown> = {}): void {
  const restart = { kind: "process", directory: "~/wrapper", log: "~/wrapper/wrapper.log" };
  stage.configure({ restart: { ...restart, command, ...more } });
}

/** The next push is proven by another process. */
async function expectReplaced(stage: Stage): Promise<void> {
  const former = await wrapperPid(stage);
  stage.logIn(`${tokens.good}-renewed`);
  const { result } = await stage.run(...PUSH);
  expect(result.outcome).toBe("verified");
  expect(await wrapperPid(stage)).not.toBe(former);
}

describe.skipIf(!hasSshd)("a wrapper that we start", () => {
  test("and that ends at once takes the change back, and its last words are shown", async () => {
    await using stage = await openStage({ hostFile: OLD, running: true });
    startWith(stage, `${HAS_NEW} && { echo "the last words"; exit 7; }; ${stage.command}`);
    const { result, code } = await stage.run(...PUSH);
    expect(result).toMatchObject({ outcome: "rolled-back", code: "RESTART_FAILED" });
    expect(result.logTail?.join("\n")).toContain("the last words");
    expect(result.state).toContain("answering again");
    expect(code).toBe(10);
    expect(await stage.chat("say pong")).toBe("pong");
    await expectOldWhole(stage.hostFile, OLD);
  });

  test("by a command that does not exist leaves the old file, and says that a person is needed", async () => {
    await using stage = await openStage({ hostFile: OLD, running: true });
    startWith(stage, "no-such-program --port 1");
    const { result, code } = await stage.run(...PUSH);
    expect(result).toMatchObject({ outcome: "rollback-failed", code: "RESTART_FAILED" });
    expect(result.logTail?.join("\n")).toContain("not found");
    expect(code).toBe(11);
    await expectOldWhole(stage.hostFile, OLD);
  });

  test("by a command that does not exist, on a host whose wrapper was down, is rolled back", async () => {
    await using stage = await openStage({ hostFile: OLD });
    startWith(stage, "no-such-program --port 1");
    const { result, code } = await stage.run(...PUSH);
    expect(result).toMatchObject({ outcome: "rolled-back", code: "RESTART_FAILED" });
    expect(code).toBe(10);
    await expectOldWhole(stage.hostFile, OLD);
  });

  test("with a log that cannot be written is not even stopped", async () => {
    await using stage = await openStage({ hostFile: OLD, running: true });
    startWith(stage, stage.command, { log: "~/no/such/folder/log" });
    const before = await wrapperPid(stage);
    const { result, code } = await stage.run(...PUSH);
    expect(result).toMatchObject({ outcome: "rolled-back", code: "RESTART_FAILED" });
    expect(code).toBe(10);
    expect(await wrapperPid(stage)).toBe(before);
    await expectOldWhole(stage.hostFile, OLD);
  });

  test("in a folder that does not exist is refused before any change", async () => {
    await using stage = await openStage({ hostFile: OLD, running: true });
    startWith(stage, stage.command, { directory: "~/nowhere" });
    const { result } = await stage.run(...PUSH);
    expect(result).toMatchObject({ outcome: "refused", code: "RESTART_FAILED" });
    expect(await stage.chat("say pong")).toBe("pong");
    await expectOldWhole(stage.hostFile, OLD);
  });

  test("and that takes three seconds to listen is waited for", async () => {
    const wrapperArguments = ["--startup-ms", "3000"];
    await using stage = await openStage({ hostFile: OLD, wrapperArguments });
    await expectNewProven(stage, await stage.run(...PUSH));
  });

  test("and that listens in a child process is proven, and its child replaced by the next push", async () => {
    await using stage = await openStage({ hostFile: OLD });
    startWith(stage, `${stage.command.replace(/^exec /, "")} & wait`);
    await expectNewProven(stage, await stage.run(...PUSH));
    await expectReplaced(stage);
  });

  test("and that listens too late is taken back", async () => {
    const wrapperArguments = ["--startup-ms", "60000"];
    await using stage = await openStage({
      hostFile: OLD,
      wrapperArguments,
      wrapper: { startTimeoutMs: 1000 },
    });
    const { result } = await stage.run(...PUSH);
    expect(result).toMatchObject({ outcome: "rolled-back", code: "RESTART_FAILED" });
    expect(result.why).toContain("in time");
    await expectOldWhole(stage.hostFile, OLD);
  });

  test("is ended for good when it will not hear of it, and the new one proven", async () => {
    await using stage = await openStage({ hostFile: OLD });
    writeFileSync(join(stage.directory, "deaf.mjs"), "process.on('SIGTERM', () => {});\n");
    startWith(stage, stage.command.replace(/^exec (\S+)/, "exec $1 --import ./deaf.mjs"));
    await expectNewProven(stage, await stage.run(...PUSH));
    await expectReplaced(stage);
  });

  test("never takes the port from a program that is not the wrapper", async () => {
    await using stage = await openStage({ hostFile: OLD });
    const foreign = createServer((_, response) => response.end("not yours"));
    await new Promise<void>((resolve) => {
      foreign.listen(stage.wrapperPort, "127.0.0.1", resolve);
    });
    try {
      const { result, code } = await stage.run(...PUSH);
      expect(result).toMatchObject({ outcome: "refused", code: "RESTART_FAILED" });
      expect(result.what).toContain("another program holds the wrapper's port");
      expect(code).toBe(10);
      const reply = await fetch(`http://127.0.0.1:${stage.wrapperPort}/`);
      expect(await reply.text()).toBe("not yours");
      await expectOldWhole(stage.hostFile, OLD);
    } finally {
      foreign.closeAllConnections();
      foreign.close();
    }
  });
});
