import { execFileSync } from "node:child_process";
import { chmodSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { failure, runOn, yes } from "../../support/connected.ts";
import { generateKey, hasSshd, startSshd } from "../../support/sshd.ts";

describe.skipIf(!hasSshd)("logging in", () => {
  test("a key that the host does not know names what was offered", async () => {
    await using sshd = await startSshd();
    const identityFile = join(sshd.directory, "stranger");
    generateKey(identityFile, "ed25519");
    const error = await failure(sshd, {}, { identityFile });
    expect(error.code).toBe("AUTHENTICATION_FAILED");
    expect(error.why).toContain(`${identityFile} (ssh-ed25519, SHA256:`);
    expect(error.next.join("\n")).toContain(`ssh-copy-id -p ${sshd.port}`);
  });

  test("RSA and ECDSA keys work, also in PEM", async () => {
    await using sshd = await startSshd();
    for (const [type, ...more] of [["rsa"], ["rsa", "-m", "PEM"], ["ecdsa"]] as const) {
      const identityFile = join(sshd.directory, `key-${type}-${more.length}`);
      generateKey(identityFile, type, more);
      writeFileSync(join(sshd.directory, "authorized_keys"), readFileSync(`${identityFile}.pub`));
      await expect(runOn(sshd, "echo in", {}, { identityFile })).resolves.toMatchObject({
        out: "in\n",
      });
    }
  });

  test.each([["rsa"], ["ed25519"]] as const)(
    "a key of type %s that the host does not know is no obstacle to the next one",
    async (type) => {
      await using sshd = await startSshd();
      const stranger = join(sshd.directory, "stranger");
      generateKey(stranger, type);
      const own = readFileSync(sshd.sshConfig, "utf8");
      writeFileSync(sshd.sshConfig, `IdentityFile ${stranger}\n${own}`);
      const host = { sshConfig: sshd.sshConfig, ssh: { host: "host" } };
      await expect(runOn(sshd, "echo in", {}, host)).resolves.toMatchObject({
        out: "in\n",
      });
      expect(sshd.log().match(/^Failed publickey /gm)).toHaveLength(1);
    },
  );

  test.each([
    ["OpenSSH's own format", "ed25519", []],
    ["PEM", "rsa", ["-m", "PEM"]],
    ["PKCS#8, which only ssh itself reads", "rsa", ["-m", "PKCS8"]],
  ] as const)(
    "a key with a passphrase, in %s, is unlocked by a person",
    async (_, type, format) => {
      await using sshd = await startSshd();
      for (const file of [sshd.clientKey, `${sshd.clientKey}.pub`]) rmSync(file);
      generateKey(sshd.clientKey, type, format);
      writeFileSync(join(sshd.directory, "authorized_keys"), readFileSync(`${sshd.clientKey}.pub`));
      execFileSync(
        "ssh-keygen",
        ["-q", "-p", "-a", "4", "-N", "secret", ...format, "-f", sshd.clientKey],
        { stdio: "ignore" },
      );
      const { human } = yes("secret");
      await expect(runOn(sshd, "echo in", { human })).resolves.toMatchObject({ out: "in\n" });
      expect((await failure(sshd)).code).toMatch(/^(?:KEY_UNREADABLE|AUTHENTICATION_FAILED)$/);
    },
  );

  test("a key that others may read is refused without contacting the host", async () => {
    await using sshd = await startSshd();
    chmodSync(sshd.clientKey, 0o644);
    expect(await failure(sshd)).toMatchObject({
      code: "KEY_UNREADABLE",
      next: [`Make it private: \`chmod 600 ${sshd.clientKey}\``],
    });
    expect(sshd.log()).not.toContain("Connection from");
  });

  test("a host that wants a second factor says what it wants", async () => {
    await using sshd = await startSshd({
      config: ["AuthenticationMethods publickey,password", "PasswordAuthentication yes"],
    });
    expect(await failure(sshd)).toMatchObject({
      code: "AUTHENTICATION_FAILED",
      why: expect.stringContaining("also wants password"),
    });
  });

  test("a host that takes no keys is not offered any after the first", async () => {
    await using sshd = await startSshd({
      config: ["PubkeyAuthentication no", "PasswordAuthentication yes"],
    });
    expect(await failure(sshd)).toMatchObject({
      why: expect.stringContaining("takes no keys, only password"),
    });
  });
});
