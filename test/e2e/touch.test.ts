import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { entryOf } from "../support/host-state.ts";
import { openSecurityKeyAgent } from "../support/security-key-agent.ts";
import { hasSshd } from "../support/sshd.ts";
import { openStage, renderHostLogin, tokens } from "../support/stage.ts";

describe.skipIf(!hasSshd)("a security key that has to be touched", () => {
  test("is asked for by the name of the host and its number in the run", async () => {
    await using stage = await openStage({ hostFile: renderHostLogin(tokens.other) });
    const { sshd } = stage;
    await using agent = await openSecurityKeyAgent(sshd.directory);
    writeFileSync(join(sshd.directory, "authorized_keys"), agent.publicKeyLine);
    const config = readFileSync(sshd.sshConfig, "utf8").replace(/Identit(?:iesOnly|yFile).*/g, "");
    writeFileSync(sshd.sshConfig, `IdentityAgent ${agent.socket}\n${config}`);
    const { identityFile: _file, knownHosts: _known, ...entry } = entryOf(stage);
    const names = ["web-1", "web-2", "web-3"];
    const hosts = Object.fromEntries(names.map((name) => [name, { ...entry, ssh: name }]));
    writeFileSync(stage.hostsJson, JSON.stringify({ sshConfig: sshd.sshConfig, hosts }));

    const { code, stderr } = await stage.run("plan", "web-*");

    expect(code).toBe(0);
    expect((stderr.match(/touch your key for .*/g) ?? []).toSorted()).toEqual([
      "touch your key for web-1 (1/3)",
      "touch your key for web-2 (2/3)",
      "touch your key for web-3 (3/3)",
    ]);
  });
});
