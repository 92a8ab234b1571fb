import { once } from "node:events";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { nodePorts } from "../../src/node-ports.ts";
import { withRelay } from "../../src/remote/relay.ts";
import { findLeaks, randomSecret } from "../support/canaries.ts";
import { open } from "../support/connected.ts";
import { expectOldFile, expectProven, hostToken } from "../support/host-state.ts";
import { findInterpreter, findProgram } from "../support/programs.ts";
import { expectNewProven, expectOldWhole } from "../support/promises.ts";
import { canChooseShell, hasSshd } from "../support/sshd.ts";
import { PUSH, openStage, renderHostLogin, tokens } from "../support/stage.ts";
import type { StageOptions } from "../support/stage.ts";
import { hasStrace } from "../support/strace.ts";
import { until } from "../support/until.ts";

const OLD = renderHostLogin(tokens.other);
const TOOLS = ["python3", "perl", "bash", "curl"].filter((name) => findProgram(name));
const LOGIN_SHELLS = ["bash", "dash", "fish", "mksh", "tcsh", "yash", "zsh"].flatMap(
  (name) => findProgram(name) ?? [],
);
const FORBIDDEN = ["AllowTcpForwarding no"];

/** A host that forwards nothing, whose tools are all broken but the ones named. */
async function openClosedStage(tools: readonly string[], options: StageOptions = {}) {
  const folder = mkdtempSync(join(tmpdir(), "sync-creds-tools-"));
  for (const name of TOOLS.filter((tool) => !tools.includes(tool))) {
    writeFileSync(join(folder, name), "#!/bin/sh\nexit 127\n", { mode: 0o755 });
  }
  for (const name of tools) symlinkSync(findInterpreter(name) ?? "", join(folder, name));
  const stage = await openStage({
    hostFile: OLD,
    running: true,
    ...options,
    sshd: { config: FORBIDDEN, path: [folder], ...options.sshd },
  });
  return {
    ...stage,
    async [Symbol.asyncDispose]() {
      await stage[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    },
  };
}

describe.skipIf(!hasSshd)("a host whose sshd forwards no connections", () => {
  test.each(TOOLS)("is cured through %s", async (tool) => {
    await using stage = await openClosedStage([tool]);
    await expectNewProven(stage, await stage.run(...PUSH));
  });

  test("gets its former login back when the new one does not work", async () => {
    await using stage = await openClosedStage(TOOLS);
    stage.logIn(tokens.bad);

    const { result, code } = await stage.run(...PUSH);

    expect(result).toMatchObject({ outcome: "rolled-back", code: "token-revoked" });
    expect(code).toBe(10);
    expectOldFile(stage, OLD);
    expect(await stage.chat("as before")).toBe("before");
  });

  test("is cured when nothing listened there before", async () => {
    await using stage = await openClosedStage(TOOLS, { running: false });
    await expectNewProven(stage, await stage.run(...PUSH));
  });

  test("says so when the wrapper does not take our bearer", async () => {
    await using stage = await openClosedStage(TOOLS, { wrapperArguments: ["--bearer", "right"] });
    writeFileSync(join(stage.laptop, "bearer"), "wrong", { mode: 0o600 });
    stage.configure({}, { bearer: { file: join(stage.laptop, "bearer") } });

    const { result } = await stage.run(...PUSH);

    expect(result).toMatchObject({ outcome: "refused", code: "WRAPPER_UNUSABLE" });
    expectOldFile(stage, OLD);
  });

  test("and has no tool to do it instead is left alone; what to enable or install is said", async () => {
    await using stage = await openClosedStage([]);

    const { result, code } = await stage.run(...PUSH);

    expect(result).toMatchObject({ outcome: "refused", code: "FORWARDING_REFUSED" });
    expect(result.next.join("\n")).toMatch(/AllowTcpForwarding local[^]*install python3/);
    expect(code).toBe(10);
    await expectOldWhole(stage.hostFile, OLD);
  });

  test("and allows no second command is left alone; what to enable is said", async () => {
    const config = [...FORBIDDEN, "MaxSessions 1"];
    await using stage = await openClosedStage(TOOLS, { sshd: { config } });

    const { result, code } = await stage.run(...PUSH);

    expect(result).toMatchObject({ outcome: "refused", code: "FORWARDING_REFUSED" });
    expect(result.next.join("\n")).toMatch(/AllowTcpForwarding local[^]*MaxSessions 2/);
    expect(code).toBe(10);
    await expectOldWhole(stage.hostFile, OLD);
  });

  test.each(TOOLS)("keeps nothing of ours running when a push is killed: %s", async (tool) => {
    await using stage = await openClosedStage([tool]);
    stage.logIn(tokens.slow);
    stage.configure({ confirmTimeoutMs: 5000 });
    const push = stage.start(...PUSH);
    await push.reached("smoke");
    await until("the new login is in place", () => hostToken(stage) === tokens.slow);

    push.kill("SIGKILL");
    await push.ended;

    await until("all relays are gone", () => relaysOf(stage.sshd.home).length === 0);
    await until("the host went back by itself", () => hostToken(stage) === tokens.other);
    // Its restart comes after the file.
    await expect.poll(() => stage.chat("as before"), { timeout: 10_000 }).toBe("before");
  });

  test.each(TOOLS)("has no use for %s once its stream is given up", async (tool) => {
    await using stage = await openClosedStage([tool]);
    const session = withRelay(await open(stage.sshd), nodePorts());
    // It accepts, and never says a word.
    const service = createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
    await once(service, "listening");
    const address = service.address();
    const port = typeof address === "object" ? address?.port : undefined;

    const stream = await session.openStream("127.0.0.1", port ?? 0);
    stream.write("a question");
    await until("the relay runs", () => relaysOf(stage.sshd.home).join().includes(tool));
    stream.destroy();

    await expect.poll(() => relaysOf(stage.sshd.home), { timeout: 10_000 }).toEqual([]);
    session.close();
    service.close();
  });

  test.skipIf(!hasStrace)("finds no bearer in any argument list or environment", async () => {
    const traces = mkdtempSync(join(tmpdir(), "sync-creds-traces-"));
    const bearer = randomSecret();
    try {
      for (const tool of TOOLS) {
        const trace = join(traces, tool);
        await using stage = await openClosedStage([tool], {
          sshd: { config: [...FORBIDDEN, "LogLevel DEBUG3"], trace },
          running: false,
          wrapperArguments: ["--bearer-file", "~/bearer"],
        });
        mkdirSync(join(stage.laptop, "secrets"), { mode: 0o700 });
        for (const place of [join(stage.sshd.home, "bearer"), join(stage.laptop, "secrets/b")]) {
          writeFileSync(place, bearer, { mode: 0o600 });
        }
        stage.configure({}, { bearer: { file: join(stage.laptop, "secrets/b") } });

        const ended = await stage.run(...PUSH);

        expect(ended.result.outcome).toBe("verified");
        const seen = [
          { where: `${tool}: programs`, bytes: readFileSync(trace) },
          { where: `${tool}: log`, bytes: Buffer.from(stage.sshd.log()) },
          { where: `${tool}: output`, bytes: Buffer.from(ended.stdout + ended.stderr) },
        ];
        expect(seen[0]?.bytes.toString("latin1")).toContain(tool);
        expect(findLeaks(seen, { bearer })).toEqual([]);
      }
    } finally {
      rmSync(traces, { recursive: true });
    }
  });
});

describe.skipIf(!canChooseShell)("a host that forwards nothing, its login shell being", () => {
  test.each(LOGIN_SHELLS)("%s, is cured", async (shell) => {
    await using stage = await openStage({ sshd: { shell, config: FORBIDDEN }, hostFile: OLD });
    await expectProven(stage, await stage.run(...PUSH), tokens.good);
  });
});

/** What runs with this home that is neither the wrapper nor the host's own dead-man switch. */
function relaysOf(home: string): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const environment = readFileSync(`/proc/${pid}/environ`, "latin1");
        const command = readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ");
        return environment.includes(`HOME=${home}\0`) &&
          !/wrapper\.mjs|pending\/script/.test(command)
          ? [command]
          : [];
      } catch {
        return []; // it has just ended, or is not ours
      }
    });
}
