import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { overTransport, TRANSPORTS } from "../../support/connected.ts";
import { hasNamespaces, makeRow } from "../../support/namespaces.ts";
import { startSshd, type SshdHost } from "../../support/sshd.ts";

describe.skipIf(!hasNamespaces).each(TRANSPORTS)("another network, over %s", (transport) => {
  const { open } = overTransport(transport);

  function configOf(gate: SshdHost, inner: SshdHost): string {
    const sshConfig = join(inner.directory, "row_config");
    const entry = (name: string, address: string, { port, clientKey, knownHosts }: SshdHost) =>
      `Host ${name}\n  HostName ${address}\n  Port ${port}\n  IdentityFile ${clientKey}\n  UserKnownHostsFile ${knownHosts}\n`;
    writeFileSync(
      sshConfig,
      `${entry("gate", "203.0.113.2", gate)}${entry("inner", "198.51.100.2", inner)}  ProxyJump gate\n` +
        `Host *\n  User ${inner.user}\n  IdentitiesOnly yes\n  IdentityAgent none\n  ConnectTimeout 5\n`,
    );
    return sshConfig;
  }

  test("a host that only the jump host reaches is reached through it", async () => {
    using row = makeRow();
    await using gate = await startSshd({ at: row.gate });
    await using inner = await startSshd({ at: row.inner });
    const sshConfig = configOf(gate, inner);
    const session = await open(inner, {}, { ssh: { host: "inner" }, sshConfig });
    const { stdout } = await session.exec("echo $SSH_CONNECTION");
    let said = "";
    for await (const chunk of stdout) said += String(chunk);
    // The host sees the jump host, not us.
    expect(said).toMatch(
      new RegExp(`^198\\.51\\.100\\.1 \\d+ 198\\.51\\.100\\.2 ${inner.port}\\n$`),
    );
    session.close();
  });
});
