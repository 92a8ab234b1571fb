import { describe, expect, test, vi } from "vitest";
import { wrapperPid } from "../support/host-state.ts";
import { expectNewProven, expectOldWhole } from "../support/promises.ts";
import { freePort, hasSshd } from "../support/sshd.ts";
import { PUSH, renderHostLogin, tokens } from "../support/stage.ts";
import { SUPERVISORS, openSupervised, pm2 } from "../support/supervised.ts";

const OLD = renderHostLogin(tokens.other);
// Supervisors take their time: supervisord a second for each start, pm2 for each word.
vi.setConfig({ testTimeout: 120_000 });

describe.skipIf(!hasSshd).each(Object.entries(SUPERVISORS))("a wrapper under %s", (_, kind) => {
  test("is restarted, and the new login proven in a new process; a second push changes nothing", async () => {
    await using host = await openSupervised(kind.open(), { hostFile: OLD });
    const before = await wrapperPid(host.stage);

    await expectNewProven(host.stage, await host.stage.run(...PUSH));

    const after = await wrapperPid(host.stage);
    expect(after).not.toBe(before);
    expect((await host.stage.run(...PUSH)).result.outcome).toBe("unchanged");
    expect(await wrapperPid(host.stage)).toBe(after);
  });

  test("that does not come up gets its old login back, and comes up with it; its last words are shown", async () => {
    await using host = await openSupervised(kind.open(), { hostFile: OLD });
    host.refuseNewLogin();

    const { result, code } = await host.stage.run(...PUSH);

    expect(result).toMatchObject({ outcome: "rolled-back", code: "RESTART_FAILED" });
    if (kind.hasLog) expect(result.logTail?.join("\n")).toContain("the last words");
    expect(result.state).toContain("answering again");
    expect(code).toBe(10);
    expect(await host.stage.chat("say pong")).toBe("pong");
    await expectOldWhole(host.stage.hostFile, OLD);
  });

  test("that is not there is refused before any change", async () => {
    await using host = await openSupervised(kind.open(), { hostFile: OLD });
    host.stage.configure({ restart: { ...host.restart, ...kind.misnamed } });
    const before = await wrapperPid(host.stage);

    const { result, code } = await host.stage.run(...PUSH);

    expect(result).toMatchObject({ outcome: "refused", code: "RESTART_FAILED" });
    expect(result.what).toContain(Object.values(kind.misnamed)[0]);
    expect(result.state).toBe("nothing was changed on the host");
    expect(code).toBe(10);
    expect(await wrapperPid(host.stage)).toBe(before);
    await expectOldWhole(host.stage.hostFile, OLD);
  });

  test("that is stopped is started with the new login", async () => {
    await using host = await openSupervised(kind.open(), { hostFile: OLD });
    host.supervisor.stop();
    expect(await host.stage.chat("up?")).toBeUndefined();

    await expectNewProven(host.stage, await host.stage.run(...PUSH));
  });
});

describe.skipIf(!hasSshd)("a container whose wrapper takes its time to listen", () => {
  const open = () =>
    openSupervised(SUPERVISORS["docker"]!.open(), {
      hostFile: OLD,
      wrapperArguments: ["--startup-ms", "1500"],
    });

  test("is asked until it does", async () => {
    await using host = await open();
    await expectNewProven(host.stage, await host.stage.run(...PUSH));
  });

  test("is asked until it does after the way back, too", async () => {
    await using host = await open();
    host.stage.logIn(tokens.bad);

    const { result, code } = await host.stage.run(...PUSH);

    expect(result).toMatchObject({ outcome: "rolled-back", code: "token-revoked" });
    expect(result.state).toContain("answering again");
    expect(code).toBe(10);
    await expectOldWhole(host.stage.hostFile, OLD);
  });

  test("and never does, gets its old login back when its time to start is over", async () => {
    await using host = await open();
    const port = await freePort();
    host.stage.configure(
      { restart: host.restart },
      { url: `http://127.0.0.1:${port}`, startTimeoutMs: 1000 },
    );

    const { result, code } = await host.stage.run(...PUSH);

    expect(result).toMatchObject({ outcome: "rolled-back", code: "not-running" });
    expect(code).toBe(10);
    await expectOldWhole(host.stage.hostFile, OLD);
  });
});

describe.skipIf(!hasSshd || SUPERVISORS["pm2"] === undefined)("a cluster of pm2", () => {
  const cluster = () => pm2(["-i", "2"], false);

  test("whose daemon keeps the socket is proven new by its processes", async () => {
    await using host = await openSupervised(cluster(), { hostFile: OLD });
    const before = await wrapperPid(host.stage);

    await expectNewProven(host.stage, await host.stage.run(...PUSH));

    expect(await wrapperPid(host.stage)).not.toBe(before);
  });

  test("shows the key that it hides in its own variable; without it the login is proven", async () => {
    const variables = { ANTHROPIC_API_KEY: "sk-ant-api03-CANARY-cluster-0001" };
    await using host = await openSupervised(cluster(), { hostFile: OLD, variables });

    const { result } = await host.stage.run(...PUSH);
    expect(result).toMatchObject({ outcome: "refused", code: "SHADOWED" });
    expect(result.why).toContain("ANTHROPIC_API_KEY in the wrapper's environment");

    await expectNewProven(host.stage, await host.stage.run(...PUSH, "--clear-shadows"));
  });
});
