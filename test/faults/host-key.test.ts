import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { expectOldFile } from "../support/host-state.ts";
import { generateKey, hasSshd, readHostKey } from "../support/sshd.ts";
import { openStage, renderHostLogin, tokens } from "../support/stage.ts";

const old = renderHostLogin(tokens.bad);

describe.skipIf(!hasSshd)("a host that shows another key than the one on record", () => {
  test("is refused with both fingerprints and the way out, and no login is tried", async () => {
    await using stage = await openStage({ hostFile: old, running: true });
    const { hostKeys, port } = stage.sshd;
    const former = join(stage.laptop, "former_key");
    generateKey(former, "ed25519");
    const { blob, type, fingerprint } = readHostKey(`${former}.pub`);
    const knownHosts = join(stage.laptop, "known_hosts");
    const record = `[127.0.0.1]:${port} ${type} ${blob.toString("base64")}\n`;
    writeFileSync(knownHosts, record);
    stage.configure({ knownHosts });

    const ended = await stage.run("push", "web-1", "--json");

    expect(ended.code).toBe(10);
    expect(ended.result).toMatchObject({ outcome: "refused", code: "HOST_KEY_CHANGED" });
    expect(ended.result.why).toContain(fingerprint);
    expect(ended.result.why).toContain(hostKeys[0]?.fingerprint);
    expect(ended.result.next.join("\n")).toContain(
      `\`ssh-keygen -R '[127.0.0.1]:${port}' -f ${knownHosts}\``,
    );
    expect(readFileSync(knownHosts, "utf8")).toBe(record);
    expectNoLogin(stage.sshd.log());
    expectOldFile(stage, old);
  });

  test("is refused too when the key is pinned in hosts.json, whatever known_hosts says", async () => {
    await using stage = await openStage({ hostFile: old, running: true });
    const former = join(stage.laptop, "former_key");
    generateKey(former, "ed25519");
    stage.configure({ hostKey: readHostKey(`${former}.pub`).fingerprint });

    const ended = await stage.run("push", "web-1", "--json");

    expect(ended.code).toBe(10);
    expect(ended.result).toMatchObject({ outcome: "refused", code: "HOST_KEY_CHANGED" });
    expectNoLogin(stage.sshd.log());
    expectOldFile(stage, old);
  });

  test("that is revoked is refused", async () => {
    await using stage = await openStage({ hostFile: old, running: true });
    const line = stage.sshd.knownHostsText(`[127.0.0.1]:${stage.sshd.port}`);
    const knownHosts = join(stage.laptop, "known_hosts");
    writeFileSync(knownHosts, `@revoked ${line}`);
    stage.configure({ knownHosts });

    const ended = await stage.run("push", "web-1", "--json");

    expect(ended.code).toBe(10);
    expect(ended.result).toMatchObject({ outcome: "refused", code: "HOST_KEY_REVOKED" });
    expectNoLogin(stage.sshd.log());
    expectOldFile(stage, old);
  });

  function expectNoLogin(log: string): void {
    expect(log).toContain("Connection from");
    expect(log).not.toMatch(/Accepted|Postponed|Failed|publickey|Starting session/);
  }
});
