import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { entryOf, expectOldFile, expectProven, readHostFile } from "../support/host-state.ts";
import { freePort, hasSshd } from "../support/sshd.ts";
import { openStage, renderHostLogin, tokens } from "../support/stage.ts";
import type { Stage } from "../support/stage.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";
import { until } from "../support/until.ts";

const old = renderHostLogin(tokens.other);

/** A push that stays at the question for a while, so that the test can act meanwhile. */
async function openSlowStage(): Promise<Stage> {
  const stage = await openStage({ hostFile: old, running: true });
  stage.logIn(tokens.slow);
  return stage;
}

describe.skipIf(!hasSshd)("a host that cannot be reached", () => {
  test("because nothing listens there is unreachable: exit 12", async () => {
    await using stage = await openStage({ hostFile: old });
    stage.configure({ ssh: `${stage.sshd.user}@127.0.0.1:${await freePort()}` });

    const ended = await stage.run("push", "web-1", "--json");

    expect(ended.code).toBe(12);
    expect(ended.result).toMatchObject({ outcome: "unreachable", code: "HOST_UNREACHABLE" });
    expect(ended.result.why).toContain("nothing listens on that port");
    expectOldFile(stage, old);
  });

  test("because it never says a word is unreachable when its time to connect is over", async () => {
    await using stage = await openStage({ hostFile: old });
    const silent = createServer();
    await new Promise<void>((resolve) => {
      silent.listen(0, "127.0.0.1", resolve);
    });
    const address = silent.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    impatiently(stage, { ssh: `${stage.sshd.user}@127.0.0.1:${address.port}` });

    const ended = await stage.run("push", "web-1", "--json");
    silent.close();

    expect(ended.code).toBe(12);
    expect(ended.result).toMatchObject({ outcome: "unreachable", code: "HOST_UNREACHABLE" });
    expect(ended.result.state).toBe("nothing was changed on the host");
    expectOldFile(stage, old);
  });

  test("at first, and then can, is cured: connections dropped before the handshake are tried again", async () => {
    await using stage = await openStage({ hostFile: old, running: true });
    await using proxy = await startTcpProxy(stage.sshd.port, { refuseFirst: 2 });
    goThrough(stage, proxy.port);

    const ended = await stage.run("push", "web-1", "--json");

    expect(proxy.connections).toBe(3);
    await expectProven(stage, ended, tokens.good);
  });

  test("but in small pieces is cured all the same", async () => {
    await using stage = await openStage({ hostFile: old, running: true });
    await using proxy = await startTcpProxy(stage.sshd.port, { pieceBytes: 30 });
    goThrough(stage, proxy.port);

    const ended = await stage.run("push", "web-1", "--json");

    await expectProven(stage, ended, tokens.good);
  });

  test("but greets before we have said a word is cured all the same", async () => {
    await using stage = await openStage({ hostFile: old, running: true });
    // Its greeting is there already when the laptop connects.
    const sshd = connect({ host: "127.0.0.1", port: stage.sshd.port });
    await once(sshd, "readable");
    const eager = createServer((laptop) => void laptop.pipe(sshd).pipe(laptop));
    await once(eager.listen(0, "127.0.0.1"), "listening");
    const address = eager.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    goThrough(stage, address.port);

    const ended = await stage.run("push", "web-1", "--json");
    eager.close();

    await expectProven(stage, ended, tokens.good);
  });
});

describe.skipIf(!hasSshd)("a link that is cut", () => {
  test.each(["connect", "probe"])("at %s leaves the host as it was", async (step) => {
    await using stage = await openSlowStage();
    await using proxy = await startTcpProxy(stage.sshd.port);
    goThrough(stage, proxy.port);

    const push = stage.start("push", "web-1", "--json");
    await push.reached(step);
    await until("the link is up", () => proxy.bytes.sent > 0);
    proxy.cut();
    const ended = await push.ended;

    expect(["unreachable", "failed", "verified"]).toContain(ended.result.outcome);
    if (ended.result.outcome === "verified") await expectProven(stage, ended, tokens.slow);
    else expectOldFile(stage, old);
  });

  test.each(["install", "restart", "smoke"])(
    "at %s is made anew: what was not confirmed goes back, and the wrapper answers as before",
    async (step) => {
      await using stage = await openSlowStage();
      await using proxy = await startTcpProxy(stage.sshd.port);
      goThrough(stage, proxy.port);

      const push = stage.start("push", "web-1", "--json");
      await push.reached(step);
      proxy.cut();
      const ended = await push.ended;

      expect(ended.result).toMatchObject({ outcome: "rolled-back", code: "CONNECTION_LOST" });
      expect(ended.code).toBe(10);
      expectOldFile(stage, old);
      expect(await stage.chat("as before")).toBe("before");
    },
  );

  test("for good makes the host itself go back: exit 11, and no one needs to come", async () => {
    await using stage = await openSlowStage();
    await using proxy = await startTcpProxy(stage.sshd.port);
    goThrough(stage, proxy.port, { confirmTimeoutMs: 5000 });

    const push = stage.start("push", "web-1", "--json");
    await push.reached("smoke");
    await until("the new file is in place", () => readHostFile(stage) !== old);
    await proxy[Symbol.asyncDispose]();
    const ended = await push.ended;

    expect(ended.code).toBe(11);
    expect(ended.result).toMatchObject({ outcome: "rollback-failed", code: "CONNECTION_LOST" });
    expect(ended.result.state).toContain("puts its former credentials back by itself");
    await until("the host went back by itself", () => hasGoneBack(stage), 30_000);
    expectOldFile(stage, old);
    expect(await stage.chat("as before")).toBe("before");
  });

  test("silently makes the host go back by itself too, and take the next push", async () => {
    await using stage = await openSlowStage();
    await using proxy = await startTcpProxy(stage.sshd.port);
    goThrough(stage, proxy.port, { confirmTimeoutMs: 5000 });

    const push = stage.start("push", "web-1", "--json");
    await push.reached("smoke");
    proxy.blackHole();

    await until("the host went back by itself", () => hasGoneBack(stage), 30_000);
    expect(readHostFile(stage)).toBe(old);
    expect(await stage.chat("as before")).toBe("before");
    // Its sshd knows nothing of all this: the lost session is still open there, and must not hold the lock.
    stage.configure({});
    stage.logIn(tokens.good);
    await expectProven(stage, await stage.run("push", "web-1", "--json"), tokens.good);
    push.kill("SIGKILL");
    await push.ended;
  });

  test("because the shell on the host was killed is no reason to say that nothing was changed", async () => {
    await using stage = await openSlowStage();

    const push = stage.start("push", "web-1", "--json");
    await push.reached("smoke");
    const lock = join(dirname(stage.hostFile), ".sync-creds", "lock");
    process.kill(Number(readFileSync(lock, "utf8").split(" ")[0]), "SIGKILL");
    const ended = await push.ended;

    expect(ended.result).toMatchObject({ outcome: "rolled-back", code: "CONNECTION_LOST" });
    expectOldFile(stage, old);
    expect(await stage.chat("as before")).toBe("before");
  });
});

/** The laptop reaches the host through the proxy only. */
function goThrough(stage: Stage, port: number, more: Record<string, unknown> = {}) {
  const hostKey = stage.sshd.hostKeys[0]?.fingerprint;
  const entry = { ssh: `${stage.sshd.user}@127.0.0.1:${port}`, hostKey, ...more };
  stage.configure(entry);
  return entry;
}

/** The laptop gives a host one second to answer. */
function impatiently(stage: Stage, more: Record<string, unknown>): void {
  const sshConfig = join(stage.laptop, "ssh_config");
  writeFileSync(sshConfig, "ConnectTimeout 1\n");
  const entry = { ...entryOf(stage), ...more };
  writeFileSync(stage.hostsJson, JSON.stringify({ sshConfig, hosts: { "web-1": entry } }));
}

function hasGoneBack(stage: Stage): boolean {
  const pending = join(dirname(stage.hostFile), ".sync-creds", "pending");
  return readHostFile(stage) === old && !existsSync(pending);
}
