import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { hasDropbear, startDropbear } from "../support/dropbear.ts";
import { hostToken } from "../support/host-state.ts";
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
    writeFileSync(join(stage.sshd.home, "before"), "");
    const { code, result, stdout, stderr } = await stage.run(...PUSH);
    expect({ code, outcome: result.outcome }).toEqual({ code: 10, outcome: "failed" });
    expect(result.code).toMatch(/REMOTE_SHELL|CONNECTION_LOST/);
    expect(stdout + stderr).not.toContain("CANARY");
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
