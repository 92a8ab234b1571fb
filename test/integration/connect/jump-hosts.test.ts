import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { failure, open, runOn, yes } from "../../support/connected.ts";
import { freePort, hasSshd, startSshd, type SshdHost } from "../../support/sshd.ts";

/**
 * An ssh_config in the target's folder: `target` is reached through the jump hosts, each of which has a host key, a client
 * key and a known_hosts of its own.
 */
function writeConfig(target: SshdHost, ...jumps: SshdHost[]): { sshConfig: string } {
  const sshConfig = join(target.directory, "jump_config");
  const names = jumps.map((_, index) => `jump-${index + 1}`);
  const entry = (name: string, sshd: SshdHost, more = ""): string =>
    `Host ${name}\n  HostName 127.0.0.1\n  Port ${sshd.port}\n  User ${sshd.user}\n` +
    `  IdentityFile ${sshd.clientKey}\n  UserKnownHostsFile ${sshd.knownHosts}\n${more}`;
  writeFileSync(
    sshConfig,
    jumps.map((jump, index) => entry(names[index] ?? "", jump)).join("") +
      entry("target", target, `  ProxyJump ${names.join(",") || "none"}\n`) +
      "Host *\n  IdentitiesOnly yes\n  IdentityAgent none\n  GlobalKnownHostsFile none\n",
  );
  return { sshConfig };
}

const TARGET = { ssh: { host: "target" } };

describe.skipIf(!hasSshd)("a host behind jump hosts", () => {
  test("is reached through two of them, each with its own key and its own host key", async () => {
    await using target = await startSshd();
    await using outer = await startSshd();
    await using inner = await startSshd();
    const config = writeConfig(target, outer, inner);
    const { out } = await runOn(target, "echo $SSH_CONNECTION", {}, { ...TARGET, ...config });
    expect(out).toMatch(/^127\.0\.0\.1 \d+ 127\.0\.0\.1 \d+\n$/);
    expect(out).toContain(` ${target.port}\n`);
    for (const jump of [outer, inner]) expect(jump.log()).toContain("Accepted publickey");
  });

  test("is reached through one that is named by address and port", async () => {
    await using target = await startSshd();
    await using jump = await startSshd();
    const { sshConfig } = writeConfig(target, jump);
    const text = readFileSync(sshConfig, "utf8").replace("Host jump-1", "Host 127.0.0.1");
    const address = `${jump.user}@127.0.0.1:${jump.port}`;
    writeFileSync(sshConfig, text.replace("ProxyJump jump-1", `ProxyJump ${address}`));
    const { out } = await runOn(target, "echo in", {}, { ...TARGET, sshConfig });
    expect(out).toBe("in\n");
    expect(jump.log()).toContain("Accepted publickey");
  });

  test("ends its jump hosts' connections with its own", async () => {
    await using target = await startSshd();
    await using jump = await startSshd();
    const session = await open(target, {}, { ...TARGET, ...writeConfig(target, jump) });
    session.close();
    for (const sshd of [jump, target]) {
      await expect
        .poll(() => sshd.log(), { timeout: 10_000 })
        .toMatch(/Disconnected from|Connection (?:closed|reset) by|Read error|Broken pipe/);
    }
  });

  test("is lost when a jump host drops the connection", async () => {
    await using target = await startSshd();
    await using jump = await startSshd();
    const session = await open(target, {}, { ...TARGET, ...writeConfig(target, jump) });
    jump.dropConnections();
    await expect(session.lost).rejects.toMatchObject({ code: "CONNECTION_LOST" });
    session.close();
  });

  test("that is down names the jump host, not the host", async () => {
    await using target = await startSshd();
    await using jump = await startSshd();
    const config = writeConfig(target, { ...jump, port: await freePort() });
    expect(await failure(target, {}, { ...TARGET, ...config })).toMatchObject({
      code: "HOST_UNREACHABLE",
      message: expect.stringMatching(/^cannot reach jump host \S+@127\.0\.0\.1:\d+$/),
      why: "nothing listens on that port",
      next: [
        expect.any(String),
        `Check that \`ssh -F ${config.sshConfig} jump-1\` works from here`,
      ],
    });
  });

  test("that is down itself says that the jump host was reached", async () => {
    await using target = await startSshd();
    await using jump = await startSshd();
    const config = writeConfig({ ...target, port: await freePort() }, jump);
    const error = await failure(target, {}, { ...TARGET, ...config });
    expect(error.code).toBe("HOST_UNREACHABLE");
    expect(error.why).toMatch(
      /^jump host \S+ was reached, but not 127\.0\.0\.1:\d+ behind it: Connection refused/,
    );
  });

  test("behind one that forwards nothing names the setting", async () => {
    await using target = await startSshd();
    await using jump = await startSshd({ config: ["AllowTcpForwarding no"] });
    const config = writeConfig(target, jump);
    expect(await failure(target, {}, { ...TARGET, ...config })).toMatchObject({
      code: "HOST_UNREACHABLE",
      why: expect.stringContaining("forwards no connections"),
      next: [expect.stringContaining("AllowTcpForwarding")],
    });
  });

  test("behind one that swallows everything is given up in time", async () => {
    await using target = await startSshd();
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const address = silent.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    await using jump = await startSshd();
    const { sshConfig } = writeConfig(target, { ...jump, port });
    appendFileSync(sshConfig, "  ConnectTimeout 1\n");
    expect(await failure(target, {}, { ...TARGET, sshConfig })).toMatchObject({
      code: "HOST_UNREACHABLE",
      message: expect.stringContaining("jump host"),
      why: expect.stringContaining("did not finish in time"),
    });
    silent.close();
  });

  test("checks the key of the jump host before anything else: an unknown one is asked about by its name", async () => {
    await using target = await startSshd();
    await using jump = await startSshd();
    const config = { ...TARGET, ...writeConfig(target, jump) };
    const known = readFileSync(jump.knownHosts);
    writeFileSync(jump.knownHosts, "");
    expect(await failure(target, {}, config)).toMatchObject({
      code: "HOST_KEY_UNKNOWN",
      message: expect.stringContaining("jump host"),
    });
    expect(target.log()).not.toContain("Connection from");
    const { human, asked } = yes();
    await expect(runOn(target, "echo in", { human }, config)).resolves.toMatchObject({
      out: "in\n",
    });
    expect(asked).toHaveLength(1);
    expect(asked[0]).toContain("Is this the key of jump host");
    writeFileSync(
      jump.knownHosts,
      known.toString().replace(/AAAA\S+/, target.hostKeys[0]?.blob.toString("base64") ?? ""),
    );
    expect(await failure(target, {}, config)).toMatchObject({
      code: "HOST_KEY_CHANGED",
      message: expect.stringContaining("jump host"),
    });
  });

  test("over `ssh` too: what is wrong with the jump host is said of the jump host", async () => {
    await using target = await startSshd();
    await using jump = await startSshd();
    const over = (config: { sshConfig: string }) =>
      failure(target, {}, { ...TARGET, ...config, transport: "openssh" });
    const title = new RegExp(`jump host ${jump.user}@127\\.0\\.0\\.1:\\d+`);

    expect(await over(writeConfig(target, { ...jump, port: await freePort() }))).toMatchObject({
      code: "HOST_UNREACHABLE",
      message: expect.stringMatching(title),
      why: expect.stringContaining("nothing listens on that port"),
    });
    const config = writeConfig(target, jump);
    expect(await over(writeConfig(target, { ...jump, clientKey: "/none" }))).toMatchObject({
      code: "AUTHENTICATION_FAILED",
      message: expect.stringMatching(title),
      why: "the host accepted none of the keys; it takes publickey",
      next: [`Check that \`ssh -F ${config.sshConfig} jump-1\` works from here`],
    });
    writeFileSync(jump.knownHosts, "");
    expect(await over(writeConfig(target, jump))).toMatchObject({
      code: "HOST_KEY_UNKNOWN",
      message: expect.stringMatching(title),
    });
    expect(target.log()).not.toContain("Connection from");
  });

  test("over `ssh` too: `StrictHostKeyChecking no` of a jump host counts as `ask`", async () => {
    await using target = await startSshd();
    await using outer = await startSshd();
    await using inner = await startSshd();
    const { sshConfig } = writeConfig(target, outer, inner);
    const text = readFileSync(sshConfig, "utf8");
    writeFileSync(
      sshConfig,
      text.replaceAll("ProxyJump", "StrictHostKeyChecking yes\n  ProxyJump"),
    );
    appendFileSync(sshConfig, "Host jump-*\n  StrictHostKeyChecking no\n");
    const config = { ...TARGET, sshConfig, transport: "openssh" as const };
    for (const jump of [outer, inner]) writeFileSync(jump.knownHosts, "");
    expect(await failure(target, {}, config)).toMatchObject({ code: "HOST_KEY_UNKNOWN" });
    expect(outer.log()).not.toContain("Accepted");

    const { human, asked } = yes();
    await expect(runOn(target, "echo in", { human }, config)).resolves.toMatchObject({
      out: "in\n",
    });
    expect(asked).toEqual([
      expect.stringContaining(
        `Is this the key of jump host ${outer.user}@127.0.0.1:${outer.port}?`,
      ),
      expect.stringContaining(
        `Is this the key of jump host ${inner.user}@127.0.0.1:${inner.port}?`,
      ),
    ]);
    for (const jump of [outer, inner]) {
      expect(jump.log()).toContain("Accepted publickey");
      expect(readFileSync(jump.knownHosts, "utf8")).not.toBe("");
    }
  });

  test("with a pinned key: the pin is the host's own, not the jump host's", async () => {
    await using target = await startSshd();
    await using jump = await startSshd();
    const config = { ...TARGET, ...writeConfig(target, jump) };
    const hostKey = target.hostKeys[0]?.fingerprint ?? "";
    await expect(runOn(target, "echo in", {}, { ...config, hostKey })).resolves.toMatchObject({
      out: "in\n",
    });
    expect(
      await failure(target, {}, { ...config, hostKey: jump.hostKeys[0]?.fingerprint ?? "" }),
    ).toMatchObject({ code: "HOST_KEY_CHANGED" });
  });
});
