import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { nodePorts } from "../../../src/node-ports.ts";
import type { Human } from "../../../src/ports.ts";
import { Secret } from "../../../src/secret.ts";
import { failure, open, runOn } from "../../support/connected.ts";
import { openSecurityKeyAgent } from "../../support/security-key-agent.ts";
import { processesNaming } from "../../support/processes.ts";
import {
  canChooseShell,
  generateKey,
  hasSshd,
  type SshdHost,
  startSshd,
} from "../../support/sshd.ts";

const ALIAS = { ssh: { host: "web" }, transport: "openssh" } as const;

/** Somebody who answers secrets in this order, and yes or no to every question. */
function person(isYes: boolean, ...secrets: string[]): { human: Human; asked: string[] } {
  const asked: string[] = [];
  const refuse = (): Promise<never> => Promise.reject(new Error("not to be asked"));
  return {
    asked,
    human: {
      choose: refuse,
      pick: refuse,
      text: refuse,
      confirm: (question, details = []) => {
        asked.push([...details, question].join("\n"));
        return Promise.resolve(isYes);
      },
      password: (question) => {
        asked.push(question);
        return Promise.resolve(new Secret(secrets.shift() ?? ""));
      },
    },
  };
}

/** From now on only certificates of this authority count on the host; our key gets one. */
async function trustUserAuthority(sshd: SshdHost): Promise<void> {
  const authority = join(sshd.directory, "user_ca");
  generateKey(authority, "ed25519");
  execFileSync("ssh-keygen", [
    "-q",
    "-s",
    authority,
    "-I",
    "ann",
    "-n",
    sshd.user,
    `${sshd.clientKey}.pub`,
  ]);
  writeFileSync(join(sshd.directory, "authorized_keys"), "");
  appendFileSync(join(sshd.directory, "sshd_config"), `TrustedUserCAKeys ${authority}.pub\n`);
  await sshd.reload();
}

describe.skipIf(!hasSshd)("the system's ssh", () => {
  test("asks for the passphrase of a key, once per run, and again when it was wrong", async () => {
    await using sshd = await startSshd();
    execFileSync("ssh-keygen", ["-q", "-p", "-a", "4", "-N", "CANARY-pass", "-f", sshd.clientKey]);
    const { human, asked } = person(true, "wrong", "CANARY-pass");
    const config = { ...ALIAS, sshConfig: sshd.sshConfig };
    await expect(runOn(sshd, "echo in", { human }, config)).resolves.toMatchObject({ out: "in\n" });
    expect(asked).toHaveLength(2);
    expect(asked[0]).toContain(sshd.clientKey);
    expect(asked[0]).toContain("for web-1");
  });

  test("asks about an unknown host key, and goes on after a yes only", async () => {
    await using sshd = await startSshd();
    writeFileSync(sshd.knownHosts, "");
    const config = { ...ALIAS, sshConfig: sshd.sshConfig };
    const no = person(false);
    expect(await failure(sshd, { human: no.human }, config)).toMatchObject({
      code: "HOST_KEY_UNKNOWN",
      why: expect.stringContaining(sshd.hostKeys[0]?.fingerprint ?? "?"),
    });
    expect(no.asked[0]).toContain(sshd.hostKeys[0]?.fingerprint);
    const yes = person(true);
    await expect(runOn(sshd, "echo in", { human: yes.human }, config)).resolves.toMatchObject({
      out: "in\n",
    });
    await expect(runOn(sshd, "echo in", {}, config)).resolves.toMatchObject({ out: "in\n" });
  });

  test("checks a pinned key, with nobody to ask", async () => {
    await using sshd = await startSshd();
    writeFileSync(sshd.knownHosts, "");
    const config = { ...ALIAS, sshConfig: sshd.sshConfig };
    const hostKey = sshd.hostKeys[0]?.fingerprint ?? "";
    await expect(runOn(sshd, "echo in", {}, { ...config, hostKey })).resolves.toMatchObject({
      out: "in\n",
    });
    const wrong = `SHA256:${"A".repeat(43)}`;
    expect(await failure(sshd, {}, { ...config, hostKey: wrong })).toMatchObject({
      code: "HOST_KEY_CHANGED",
    });
    expect(sshd.log().match(/Accepted publickey/g)).toHaveLength(1);
  });

  test("is chosen for a user certificate, which lets us in where the plain key would not", async () => {
    await using sshd = await startSshd();
    const config = { ssh: ALIAS.ssh, sshConfig: sshd.sshConfig };
    await trustUserAuthority(sshd);
    const told: string[] = [];
    expect((await failure(sshd, {}, { ...config, transport: "node" })).code).toBe(
      "SSH_UNSUPPORTED",
    );
    const session = await open(sshd, {}, config, (line) => told.push(line));
    session.close();
    expect(sshd.log()).toContain("Accepted publickey for");
    expect(sshd.log()).toContain("ED25519-CERT");
    expect(told.join("\n")).toMatch(/^goes through the system's `ssh`: the certificate beside/);
  });

  test("is chosen for a security key in the agent; whose turn it is to be touched for is said", async () => {
    await using sshd = await startSshd();
    await using agent = await openSecurityKeyAgent(sshd.directory);
    writeFileSync(join(sshd.directory, "authorized_keys"), agent.publicKeyLine);
    writeFileSync(
      sshd.sshConfig,
      `IdentityAgent ${agent.socket}\n${readFileSync(sshd.sshConfig, "utf8").replace(/Identit(?:iesOnly|yFile).*/g, "")}`,
    );
    const told: string[] = [];
    const config = { ssh: ALIAS.ssh, sshConfig: sshd.sshConfig };
    const session = await open(sshd, {}, config, (line) => told.push(line));
    session.close();
    expect(sshd.log()).toContain("ED25519-SK");
    expect(told).toEqual([
      "goes through the system's `ssh`: the security key touch me in the agent",
      "touch your key for web-1 (1/1)",
    ]);
  });

  test("is chosen for a host that a certificate authority vouches for", async () => {
    await using sshd = await startSshd();
    const authority = join(sshd.directory, "host_ca");
    generateKey(authority, "ed25519");
    const hostKey = sshd.hostKeys[0]?.file ?? "";
    execFileSync("ssh-keygen", [
      "-q",
      "-s",
      authority,
      "-I",
      "web",
      "-h",
      "-n",
      "127.0.0.1",
      hostKey,
    ]);
    appendFileSync(
      join(sshd.directory, "sshd_config"),
      `HostCertificate ${hostKey.replace(/\.pub$/, "-cert.pub")}\n`,
    );
    await sshd.reload();
    writeFileSync(sshd.knownHosts, `@cert-authority * ${readFileSync(`${authority}.pub`, "utf8")}`);
    const config = { ssh: ALIAS.ssh, sshConfig: sshd.sshConfig };
    await expect(runOn(sshd, "echo in", {}, config)).resolves.toMatchObject({ out: "in\n" });
    writeFileSync(
      sshd.knownHosts,
      `@cert-authority *.example.com ${readFileSync(`${authority}.pub`, "utf8")}`,
    );
    expect((await failure(sshd, {}, { ...config, transport: "openssh" })).code).toBe(
      "HOST_KEY_UNKNOWN",
    );
  });

  test("is chosen for ProxyCommand, and names it when it fails", async () => {
    await using sshd = await startSshd();
    const relay = `${process.execPath} -e "const s=require('net').connect(%p,'%h');process.stdin.pipe(s);s.pipe(process.stdout)"`;
    const config = { ssh: ALIAS.ssh, sshConfig: sshd.sshConfig };
    appendFileSync(sshd.sshConfig, `  ProxyCommand ${relay}\n`);
    await expect(runOn(sshd, "echo in", {}, config)).resolves.toMatchObject({ out: "in\n" });
    writeFileSync(
      sshd.sshConfig,
      readFileSync(sshd.sshConfig, "utf8").replace(
        /ProxyCommand .*/,
        "ProxyCommand sh -c 'echo no way in >&2'",
      ),
    );
    expect(await failure(sshd, {}, config)).toMatchObject({
      code: "HOST_UNREACHABLE",
      why: "its ProxyCommand gave no way to the host (`ssh`: no way in)",
      next: [
        "Run the ProxyCommand of your ssh configuration by hand and see what it says",
        `Check that \`ssh -F ${sshd.sshConfig} web\` works from here`,
      ],
    });
  });

  test("names the jump host's end of the way when that is where it breaks", async () => {
    await using sshd = await startSshd();
    await using jump = await startSshd({ config: ["AllowTcpForwarding no"] });
    writeFileSync(
      sshd.sshConfig,
      `Host jump\n  Port ${jump.port}\n  IdentityFile ${jump.clientKey}\n  UserKnownHostsFile ${jump.knownHosts}\n` +
        `Host web\n  ProxyJump jump\n${readFileSync(sshd.sshConfig, "utf8")}`,
    );
    const config = { ssh: ALIAS.ssh, sshConfig: sshd.sshConfig, transport: "openssh" as const };
    const error = await failure(sshd, {}, config);
    expect(error.why).toMatch(/^the way through its jump host ended .*administratively prohibited/);
    expect(error.next.join("\n")).not.toContain("MaxStartups");
  });

  test("keeps to one connection and its commands, whatever else the configuration has `ssh` do", async () => {
    await using sshd = await startSshd();
    const touched = join(sshd.directory, "touched");
    appendFileSync(
      sshd.sshConfig,
      "  ForkAfterAuthentication yes\n  SessionType none\n  StdinNull yes\n  RemoteCommand false\n  RequestTTY force\n" +
        `  Tunnel yes\n  PermitLocalCommand yes\n  LocalCommand touch ${touched}\n  ForwardAgent yes\n` +
        `  ControlMaster auto\n  ControlPath ${touched}\n  LocalForward ${touched} 127.0.0.1:1\n`,
    );
    const config = { ssh: ALIAS.ssh, sshConfig: sshd.sshConfig, transport: "openssh" as const };
    await expect(runOn(sshd, "echo in", {}, config)).resolves.toMatchObject({ out: "in\n" });
    expect(existsSync(touched)).toBe(false);
    expect(sshd.log()).not.toMatch(/tun|agent forwarding|auth-agent/i);
  });

  test("is chosen when the host speaks only what this program does not", async () => {
    await using sshd = await startSshd({
      config: ["KexAlgorithms sntrup761x25519-sha512@openssh.com"],
    });
    const told: string[] = [];
    const session = await open(sshd, {}, {}, (line) => told.push(line));
    session.close();
    expect(told.join("\n")).toContain("no matching key exchange algorithm");
  });

  test("goes through jump hosts on its own", async () => {
    await using jump = await startSshd();
    await using sshd = await startSshd();
    const sshConfig = join(sshd.directory, "jump_config");
    writeFileSync(
      sshConfig,
      `Host gate\n  Port ${jump.port}\n  IdentityFile ${jump.clientKey}\n  UserKnownHostsFile ${jump.knownHosts}\n` +
        `Host web\n  ProxyJump gate\n  Port ${sshd.port}\n  IdentityFile ${sshd.clientKey}\n  UserKnownHostsFile ${sshd.knownHosts}\n` +
        `Host *\n  HostName 127.0.0.1\n  User ${sshd.user}\n  IdentitiesOnly yes\n  IdentityAgent none\n`,
    );
    await expect(runOn(sshd, "echo in", {}, { ...ALIAS, sshConfig })).resolves.toMatchObject({
      out: "in\n",
    });
    expect(jump.log()).toContain("Accepted publickey");
    await jump[Symbol.asyncDispose]();
    expect(await failure(sshd, {}, { ...ALIAS, sshConfig })).toMatchObject({
      code: "HOST_UNREACHABLE",
      why: expect.stringContaining(`port ${jump.port}: Connection refused`),
    });
  });

  test.skipIf(!canChooseShell)("asks for a password, once per run", async () => {
    await using sshd = await startSshd({
      shell: "/bin/sh",
      password: "CANARY-password",
      config: ["PasswordAuthentication yes", "PubkeyAuthentication no"],
    });
    const { human, asked } = person(true, "CANARY-password");
    const ports = { human };
    const config = { ...ALIAS, sshConfig: sshd.sshConfig };
    await expect(runOn(sshd, "echo in", ports, config)).resolves.toMatchObject({ out: "in\n" });
    expect(asked).toEqual([expect.stringContaining("'s password: (for web-1)")]);
  });

  test("does not outlive this program, however that ends", async () => {
    await using sshd = await startSshd();
    const folder = await nodePorts().files.makePrivateFolder();
    const program = fileURLToPath(
      new URL("../../../build/remote/openssh-session.js", import.meta.url),
    );
    const script = `
      const { openOpensshSession } = await import(${JSON.stringify(program)});
      const files = { makePrivateFolder: async () => ${JSON.stringify(folder)}, remove: async () => {} };
      await openOpensshSession({ argv: ["-F", ${JSON.stringify(sshd.sshConfig)}], destination: "web",
        address: "web", command: "ssh web", hops: [], files, platform: process.platform, env: process.env, connectTimeoutMs: 20000 });
      console.log("open");
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    expect(processesNaming(folder)).not.toEqual([]);
    child.kill("SIGKILL");
    await expect.poll(() => processesNaming(folder), { timeout: 5000 }).toEqual([]);
    await nodePorts().files.remove(folder);
  });

  test("leaves nothing behind: no process, no folder, no connection", async () => {
    await using sshd = await startSshd();
    const session = await open(sshd, {}, { ...ALIAS, sshConfig: sshd.sshConfig });
    const ours = () => processesNaming(sshd.sshConfig);
    expect(ours()).not.toEqual([]);
    session.close();
    session.close();
    await expect(session.lost).rejects.toMatchObject({ code: "CONNECTION_LOST" });
    await expect.poll(ours, { timeout: 10_000 }).toEqual([]);
  });
});
