import { describe, expect, test } from "vitest";
import { hasDropbear, startDropbear } from "../support/dropbear.ts";
import { hostToken } from "../support/host-state.ts";
import { processesNaming } from "../support/processes.ts";
import { hasSshd } from "../support/sshd.ts";
import { openStage, PUSH, renderHostLogin, tokens } from "../support/stage.ts";

const old = renderHostLogin(tokens.bad);

describe.skipIf(!hasSshd)("a push is verified on a sshd", () => {
  test.each([
    ["that opens one session per connection", ["MaxSessions 1"]],
    ["without the sftp subsystem", ["Subsystem sftp /bin/false"]],
    ["that allows one attempt to log in", ["MaxAuthTries 1"]],
    ["that refuses every terminal", ["PermitTTY no"]],
    ["with the oldest key exchange that is still in use", ["KexAlgorithms ecdh-sha2-nistp256"]],
    ["that encrypts with AES-CTR only", ["Ciphers aes128-ctr", "MACs hmac-sha2-256"]],
    ["that closes idle sessions quickly", ["ClientAliveInterval 1", "ClientAliveCountMax 1"]],
  ])("%s", async (_what, config) => {
    await using stage = await openStage({ sshd: { config }, hostFile: old, running: true });
    const { result } = await stage.run(...PUSH);
    expect(result).toMatchObject({ outcome: "verified" });
    expect(hostToken(stage)).toBe(tokens.good);
  });

  test("with a banner, which is not taken for an answer", async () => {
    await using stage = await openStage({
      sshd: { config: ["Banner /etc/passwd"] },
      hostFile: old,
      running: true,
    });
    const { result, stdout, stderr } = await stage.run(...PUSH);
    expect(result).toMatchObject({ outcome: "verified" });
    expect(stdout + stderr).not.toContain("root:");
  });

  test("that forces another command is refused, and nothing of ours is echoed back", async () => {
    await using stage = await openStage({ sshd: { config: ["ForceCommand cat"] }, hostFile: old });
    const { code, result, stdout, stderr } = await stage.run(...PUSH);
    expect({ code, outcome: result.outcome }).toEqual({ code: 10, outcome: "failed" });
    expect(result.code).toBe("REMOTE_SHELL");
    expect(result.why).toContain("forced command");
    expect(stdout + stderr).not.toContain("CANARY");
    expect(hostToken(stage)).toBe(tokens.bad);
  });
});

describe.skipIf(!hasSshd)("over the system's ssh", () => {
  const host = { transport: "openssh" };

  test("a push is verified, and the next one changes nothing", async () => {
    await using stage = await openStage({ host, hostFile: old, running: true });
    expect((await stage.run(...PUSH)).result).toMatchObject({ outcome: "verified" });
    expect(hostToken(stage)).toBe(tokens.good);
    expect((await stage.run(...PUSH)).result.outcome).toBe("unchanged");
    expect(processesNaming(stage.sshd.knownHosts)).toEqual([]);
  });

  test("a login that the wrapper refuses is rolled back", async () => {
    const hostFile = renderHostLogin(tokens.other);
    await using stage = await openStage({ host, hostFile, running: true });
    stage.logIn(tokens.bad);
    const { code, result } = await stage.run(...PUSH);
    expect({ code, outcome: result.outcome }).toEqual({ code: 10, outcome: "rolled-back" });
    expect(hostToken(stage)).toBe(tokens.other);
  });

  test("a host that forwards no connections is asked through a second command", async () => {
    await using stage = await openStage({
      host,
      sshd: { config: ["AllowTcpForwarding no"] },
      hostFile: old,
      running: true,
    });
    expect((await stage.run(...PUSH)).result).toMatchObject({ outcome: "verified" });
  });

  test("Ctrl-C after the change puts the host back: the link outlives the keystroke", async () => {
    await using stage = await openStage({ host, hostFile: old, running: true });
    stage.logIn(tokens.slow);
    const running = stage.start(...PUSH);
    await running.reached("smoke");
    // As a terminal does it: to the whole group of processes.
    process.kill(-running.pid, "SIGINT");
    const { code, result } = await running.ended;
    expect({ code, outcome: result.outcome }).toEqual({ code: 130, outcome: "rolled-back" });
    expect(hostToken(stage)).toBe(tokens.bad);
  });
});

describe.skipIf(!hasDropbear)("dropbear", () => {
  test("takes a push like OpenSSH does", async () => {
    await using stage = await openStage({
      server: startDropbear,
      hostFile: old,
      running: true,
    });
    const { result } = await stage.run(...PUSH);
    expect(result).toMatchObject({ outcome: "verified" });
    expect(hostToken(stage)).toBe(tokens.good);
    expect((await stage.run(...PUSH)).result.outcome).toBe("unchanged");
  });

  test("with a wrapper that the new login breaks: everything is put back", async () => {
    await using stage = await openStage({
      server: startDropbear,
      hostFile: renderHostLogin(tokens.other),
      running: true,
    });
    stage.logIn(tokens.bad);
    const { code, result } = await stage.run(...PUSH);
    expect({ code, outcome: result.outcome }).toEqual({ code: 10, outcome: "rolled-back" });
    expect(hostToken(stage)).toBe(tokens.other);
  });
});
