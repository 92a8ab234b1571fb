import { execFileSync, spawnSync } from "node:child_process";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { judgeHostKey } from "../../../src/connect/known-hosts.ts";
import { failure, runOn, yes } from "../../support/connected.ts";
import { generateKey, hasSshd, keysOnRecord, startSshd } from "../../support/sshd.ts";

describe.skipIf(!hasSshd)("host keys", () => {
  test("a known key lets us in", async () => {
    await using sshd = await startSshd();
    await expect(runOn(sshd, "echo $HOME")).resolves.toEqual({ out: `${sshd.home}\n`, code: 0 });
  });

  test.each(["a hashed name", "the bare name", "a file with CRLF"])("%s is known", async (kind) => {
    await using sshd = await startSshd();
    if (kind === "a hashed name") {
      execFileSync("ssh-keygen", ["-q", "-H", "-f", sshd.knownHosts], { stdio: "ignore" });
    } else {
      const name = kind === "the bare name" ? "127.0.0.1" : `[127.0.0.1]:${sshd.port}`;
      writeFileSync(
        sshd.knownHosts,
        `# mine\r\n${sshd.knownHostsText(name)}`.replaceAll("\n", "\r\n"),
      );
    }
    await expect(runOn(sshd, "echo in")).resolves.toMatchObject({ out: "in\n" });
  });

  test("with several host keys, the one on record is asked for", async () => {
    await using sshd = await startSshd({ hostKeys: ["ed25519", "ecdsa", "rsa"] });
    const [rsa] = sshd.knownHostsText(`[127.0.0.1]:${sshd.port}`).split("\n").slice(-2);
    writeFileSync(sshd.knownHosts, `${rsa}\n`);
    await expect(runOn(sshd, "echo in")).resolves.toMatchObject({ out: "in\n" });
  });

  test("an unknown key is refused before anything is shown to the host", async () => {
    await using sshd = await startSshd();
    writeFileSync(sshd.knownHosts, "");
    const error = await failure(sshd);
    expect(error).toMatchObject({
      code: "HOST_KEY_UNKNOWN",
      why: expect.stringContaining(sshd.hostKeys[0]?.fingerprint ?? "?"),
    });
    expect(error.next.join("\n")).toContain(`ssh-keyscan -p ${sshd.port} 127.0.0.1`);
    expect(sshd.log()).toContain("Connection from 127.0.0.1");
    expect(sshd.log()).not.toMatch(/publickey|userauth|Accepted|Failed/);
    expect(readFileSync(sshd.knownHosts, "utf8")).toBe("");
  });

  test("a changed key names both fingerprints, the line, and the command that forgets the old one", async () => {
    await using sshd = await startSshd();
    await using other = await startSshd();
    writeFileSync(sshd.knownHosts, `# mine\n${other.knownHostsText(`[127.0.0.1]:${sshd.port}`)}`);
    const error = await failure(sshd, { human: yes().human });
    expect(error).toMatchObject({
      code: "HOST_KEY_CHANGED",
      why: expect.stringContaining(`${sshd.knownHosts}:2 knows ${other.hostKeys[0]?.fingerprint}`),
    });
    expect(error.why).toContain(sshd.hostKeys[0]?.fingerprint);
    expect(error.next.join("\n")).toContain(
      `\`ssh-keygen -R '[127.0.0.1]:${sshd.port}' -f ${sshd.knownHosts}\``,
    );
    const overSsh = await failure(sshd, { human: yes().human }, { transport: "openssh" });
    expect(overSsh.why).toContain(`${sshd.knownHosts}:2 says otherwise`);
    expect(overSsh.next.join("\n")).toContain(
      `\`ssh-keygen -f "${sshd.knownHosts}" -R "[127.0.0.1]:${sshd.port}"\``,
    );
    expect(sshd.log()).not.toMatch(/publickey|Accepted|Failed/);
  });

  test.each(["node", "openssh"] as const)(
    "where ssh_config has unknown keys refused, accepting one takes another option (%s)",
    async (transport) => {
      await using sshd = await startSshd();
      writeFileSync(sshd.knownHosts, "");
      const config = readFileSync(sshd.sshConfig, "utf8");
      writeFileSync(sshd.sshConfig, `StrictHostKeyChecking yes\n${config}`);
      const ssh = { host: "web" };
      const error = await failure(sshd, {}, { ssh, sshConfig: sshd.sshConfig, transport });
      expect(error.code).toBe("HOST_KEY_UNKNOWN");
      expect(error.next.join("\n")).toContain(
        `accept it with \`ssh -o StrictHostKeyChecking=ask -F ${sshd.sshConfig} web\``,
      );
    },
  );

  test("a revoked key is refused although it is also known", async () => {
    await using sshd = await startSshd();
    appendFileSync(sshd.knownHosts, `@revoked ${sshd.knownHostsText("*")}`);
    expect(await failure(sshd, { human: yes().human })).toMatchObject({ code: "HOST_KEY_REVOKED" });
  });

  test("a host known through a certificate authority needs the system's ssh", async () => {
    await using sshd = await startSshd();
    writeFileSync(sshd.knownHosts, `@cert-authority ${sshd.knownHostsText("*")}`);
    const { human, asked } = yes();
    expect(await failure(sshd, { human }, { transport: "node" })).toMatchObject({
      code: "SSH_UNSUPPORTED",
      why: expect.stringContaining("host certificate"),
    });
    expect(asked).toEqual([]);
  });

  test("a pinned key needs no known_hosts, and outranks it", async () => {
    await using sshd = await startSshd();
    const hostKey = sshd.hostKeys[0]?.fingerprint ?? "";
    writeFileSync(sshd.knownHosts, "");
    await expect(runOn(sshd, "echo in", {}, { hostKey })).resolves.toMatchObject({ out: "in\n" });
    writeFileSync(sshd.knownHosts, sshd.knownHostsText("*"));
    const wrong = `SHA256:${"A".repeat(43)}`;
    expect(await failure(sshd, {}, { hostKey: wrong })).toMatchObject({
      code: "HOST_KEY_CHANGED",
      why: expect.stringContaining(wrong),
    });
  });

  test("a person may accept an unknown key, which is then recorded and not asked for again", async () => {
    await using sshd = await startSshd();
    writeFileSync(sshd.knownHosts, "");
    const { human, asked } = yes();
    await expect(runOn(sshd, "echo in", { human })).resolves.toMatchObject({ out: "in\n" });
    await expect(runOn(sshd, "echo in", { human })).resolves.toMatchObject({ out: "in\n" });
    expect(asked).toHaveLength(1);
    expect(asked[0]).toContain(sshd.hostKeys[0]?.fingerprint);
    expect(asked[0]).toContain(`127.0.0.1:${sshd.port}`);
    // Its name may be hashed: the machine's own ssh_config decides.
    const [key] = sshd.hostKeys;
    expect(keysOnRecord(sshd.knownHosts, sshd.port)).toEqual([
      `${key?.type} ${key?.blob.toString("base64")}`,
    ]);
  });

  test("a key accepted for a login that fails is not recorded before the host has proved it", async () => {
    await using sshd = await startSshd();
    writeFileSync(sshd.knownHosts, "");
    writeFileSync(join(sshd.directory, "authorized_keys"), "");
    expect(await failure(sshd, { human: yes().human })).toMatchObject({
      code: "AUTHENTICATION_FAILED",
    });
    expect(readFileSync(sshd.knownHosts, "utf8")).toBe("");
  });

  test("accept-new of ssh_config records an unknown key in one connection, hashed if asked", async () => {
    await using sshd = await startSshd();
    writeFileSync(sshd.knownHosts, "");
    appendFileSync(sshd.sshConfig, "  StrictHostKeyChecking accept-new\n  HashKnownHosts yes\n");
    const host = { ssh: { host: "web" }, sshConfig: sshd.sshConfig };
    await expect(runOn(sshd, "echo in", {}, host)).resolves.toMatchObject({ out: "in\n" });
    expect(readFileSync(sshd.knownHosts, "utf8")).toMatch(/^\|1\|/);
    expect(sshd.log().match(/Connection from/g)).toHaveLength(1);
    appendFileSync(sshd.sshConfig, "  BatchMode yes\n");
    execFileSync("ssh", ["-F", sshd.sshConfig, "-o", "StrictHostKeyChecking=yes", "web", "true"]);
  });

  test("OpenSSH accepts and refuses the same known_hosts", async () => {
    await using sshd = await startSshd();
    await using other = await startSshd();
    const port = `[127.0.0.1]:${sshd.port}`;
    const good = (name: string): string => sshd.knownHostsText(name);
    const bad = (name: string): string => other.knownHostsText(name);
    const rsa = join(sshd.directory, "some_rsa");
    generateKey(rsa, "rsa");
    const rsaLine = `${port} ${readFileSync(`${rsa}.pub`, "utf8")}`;
    const files = [
      good(port),
      bad(port),
      bad(port) + good(port),
      good("127.0.0.1"),
      bad(port) + good("127.0.0.1"),
      rsaLine + good("127.0.0.1"),
      `@revoked ${bad(port)}${good("127.0.0.1")}`,
      `@cert-authority ${bad(port)}${good("127.0.0.1")}`,
      good("*"),
      good("127.0.0.?"),
      good("[127.0.0.*]:*"),
      good(`*,!${port}`),
      good("!*,*"),
      `@revoked ${good("*")}${good(port)}`,
      `@revoked ${good("127.0.0.1")}${good(port)}`,
      `@revoked ${bad("*")}${good(port)}`,
      `@cert-authority ${good("*")}`,
      `@unknown ${good(port)}`,
      ` \t${good(port)}`,
      `#${good(port)}`,
      good(port).replace("AAAA", "AAAB"),
      good(port).replace("ssh-ed25519", "ssh-rsa"),
      good(port).replace("\n", "\r\n"),
      good(port).replace(" ", "\t\t"),
      good(`a,${port}`),
      good(`a, ${port}`),
      `${good(port).trim()}=\n`,
    ];
    const key = sshd.hostKeys[0]?.blob ?? Buffer.of();
    for (const known of files) {
      writeFileSync(sshd.knownHosts, known);
      const options = [
        "-o",
        "BatchMode=yes",
        "-o",
        "StrictHostKeyChecking=yes",
        "-o",
        "UpdateHostKeys=no",
      ];
      const { status } = spawnSync("ssh", ["-F", sshd.sshConfig, ...options, "web", "true"]);
      const { verdict } = judgeHostKey([{ path: "", text: known }], "127.0.0.1", sshd.port, key);
      expect({ known, isKnown: verdict === "known" }).toEqual({ known, isKnown: status === 0 });
    }
  });
});
