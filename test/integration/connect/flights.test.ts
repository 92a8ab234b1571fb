import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { open } from "../../support/connected.ts";
import { hasSshd, type SshdHost, startSshd } from "../../support/sshd.ts";
import { startTcpProxy } from "../../support/tcp-proxy.ts";

/** Far longer than either side thinks: what can be said at once falls into one flight. */
const DELAY = { sendDelayMs: 60, receiveDelayMs: 60 };

/** What sshd logs of questions that can be spared. */
const QUESTIONS = ["method none", "Postponed publickey", "request exec reply 1"];

describe.skipIf(!hasSshd)("the way to the first answer", () => {
  test("takes no more round trips than OpenSSH's own", async () => {
    await using sshd = await startSshd({ config: ["LogLevel DEBUG1"] });
    const ours = await flightsOfOurs(sshd);
    // Nobody asks what the host would take, no key is shown before it signs, no command is waited for.
    for (const extra of QUESTIONS) expect(sshd.log()).not.toContain(extra);
    const theirs = await flightsOfSsh(sshd);
    expect(ours).toBeGreaterThan(4);
    expect(ours).toBeLessThanOrEqual(theirs);
    // OpenSSH does all of it, which costs it a round trip each.
    for (const extra of QUESTIONS) expect(sshd.log()).toContain(extra);
  });
});

async function flightsOfOurs(sshd: SshdHost): Promise<number> {
  await using proxy = await startTcpProxy(sshd.port, DELAY);
  const knownHosts = join(sshd.directory, "known_through_proxy");
  writeFileSync(knownHosts, sshd.knownHostsText(`[127.0.0.1]:${proxy.port}`));
  const ssh = { host: "127.0.0.1", user: sshd.user, port: proxy.port };
  const session = await open(sshd, {}, { ssh, knownHosts });
  const { stdout } = await session.exec("echo first");
  await once(stdout, "data");
  const { flights } = proxy;
  session.close();
  return flights;
}

async function flightsOfSsh(sshd: SshdHost): Promise<number> {
  await using proxy = await startTcpProxy(sshd.port, DELAY);
  const through = ["-p", String(proxy.port), "-o", "NoHostAuthenticationForLocalhost=yes"];
  const ssh = spawn("ssh", ["-F", sshd.sshConfig, ...through, "host", "echo first"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  await once(ssh.stdout, "data");
  const { flights } = proxy;
  await once(ssh, "close");
  return flights;
}
