import { execFileSync } from "node:child_process";
import { appendFileSync, chmodSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import type { Host } from "../../../src/hosts/host.ts";
import { failure, open } from "../../support/connected.ts";
import { openAgent } from "../../support/ssh-agent.ts";
import { generateKey, hasSshd, type SshdHost, startSshd } from "../../support/sshd.ts";

describe.skipIf(!hasSshd)("the agent", () => {
  test.each(["ed25519", "rsa", "ecdsa"] as const)("signs with %s", async (type) => {
    await using sshd = await startSshd();
    await using agent = await openAgent(sshd.directory);
    const key = join(sshd.directory, `agent_${type}`);
    generateKey(key, type);
    writeFileSync(join(sshd.directory, "authorized_keys"), readFileSync(`${key}.pub`));
    agent.add(key);
    const config = readFileSync(sshd.sshConfig, "utf8").replace(
      "IdentitiesOnly yes",
      "IdentitiesOnly no",
    );
    writeFileSync(sshd.sshConfig, config);
    await expect(login(sshd, via(sshd, agent.socket))).resolves.toBe("in\n");
  });

  test("signs for a key whose file has a passphrase: nobody is asked", async () => {
    await using sshd = await startSshd();
    await using agent = await openAgent(sshd.directory);
    agent.add(sshd.clientKey);
    execFileSync("ssh-keygen", ["-q", "-p", "-a", "4", "-N", "secret", "-f", sshd.clientKey], {
      stdio: "ignore",
    });
    await expect(login(sshd, via(sshd, agent.socket))).resolves.toBe("in\n");
  });

  test("with twenty other keys and IdentitiesOnly, only the right one is offered", async () => {
    await using sshd = await startSshd({ config: ["MaxAuthTries 2"] });
    await using agent = await openAgent(sshd.directory);
    for (let index = 0; index < 20; index++) {
      const key = join(sshd.directory, `other_${index}`);
      generateKey(key, "ed25519");
      agent.add(key);
    }
    agent.add(sshd.clientKey);
    chmodSync(sshd.clientKey, 0o600);
    writeFileSync(sshd.clientKey, readFileSync(`${sshd.clientKey}.pub`));
    await expect(login(sshd, via(sshd, agent.socket))).resolves.toBe("in\n");
    expect(sshd.log()).not.toContain("Failed publickey");
  });

  test("with more keys than the host listens to: those tried are named, and how to choose", async () => {
    await using sshd = await startSshd({ config: ["MaxAuthTries 2"] });
    await using agent = await openAgent(sshd.directory);
    for (let index = 0; index < 4; index++) {
      const key = join(sshd.directory, `other_${index}`);
      generateKey(key, "ed25519", ["-C", `other ${index}`]);
      agent.add(key);
    }
    writeFileSync(join(sshd.directory, "authorized_keys"), "");
    const config = readFileSync(sshd.sshConfig, "utf8");
    writeFileSync(sshd.sshConfig, config.replace("IdentitiesOnly yes", "IdentitiesOnly no"));
    const error = await failure(sshd, {}, via(sshd, agent.socket));
    expect(error.code).toBe("AUTHENTICATION_FAILED");
    expect(error.why).toContain(`too many keys; offered: ${sshd.clientKey}`);
    expect(error.why).toContain("other 0 of the agent");
    expect(error.why).not.toContain("other 1");
    expect(error.next[0]).toContain("IdentitiesOnly yes");
  });

  test.each(["gone", "hanging", "talking nonsense"])(
    "that is %s is passed over, and named when nothing else works",
    async (kind) => {
      await using sshd = await startSshd();
      const socket = join(sshd.directory, "agent.sock");
      const server = createServer(
        (client) => void (kind === "hanging" || client.end("nonsense, and a lot of it")),
      );
      if (kind !== "gone") await new Promise<void>((resolve) => server.listen(socket, resolve));
      try {
        const host = via(sshd, socket);
        await expect(login(sshd, host)).resolves.toBe("in\n");
        writeFileSync(join(sshd.directory, "authorized_keys"), "");
        expect(await failure(sshd, {}, host)).toMatchObject({
          code: "AUTHENTICATION_FAILED",
          why: expect.stringContaining(`the agent at ${socket}`),
        });
      } finally {
        server.close();
      }
    },
  );

  test("that refuses to sign does not stop the next key", async () => {
    await using sshd = await startSshd();
    await using agent = await openAgent(sshd.directory);
    const other = join(sshd.directory, "confirmed");
    generateKey(other, "ed25519");
    appendFileSync(join(sshd.directory, "authorized_keys"), readFileSync(`${other}.pub`));
    // Nobody confirms, so the agent refuses.
    agent.add(other, "-c");
    writeFileSync(
      sshd.sshConfig,
      readFileSync(sshd.sshConfig, "utf8").replace(
        / {2}IdentityFile.*/,
        `  IdentityFile ${other}.pub\n$&`,
      ),
    );
    await expect(login(sshd, via(sshd, agent.socket))).resolves.toBe("in\n");
  });
});

/** An alias of ssh_config that leads to the host with this agent. */
function via(sshd: SshdHost, agent: string): Partial<Host> {
  const config = readFileSync(sshd.sshConfig, "utf8");
  writeFileSync(sshd.sshConfig, config.replace("IdentityAgent none", `IdentityAgent ${agent}`));
  return { ssh: { host: "web" }, sshConfig: sshd.sshConfig };
}

async function login(sshd: SshdHost, host: Partial<Host>): Promise<string> {
  const session = await open(sshd, {}, host);
  try {
    const { stdin, stdout } = await session.exec("echo in");
    stdin.end();
    return await text(stdout);
  } finally {
    session.close();
  }
}
