import { appendFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import { connect } from "../../../src/connect/connect.ts";
import { SyncCredsError } from "../../../src/errors.ts";
import type { Host } from "../../../src/hosts/host.ts";
import { nodePorts } from "../../../src/node-ports.ts";
import { overTransport, TRANSPORTS } from "../../support/connected.ts";
import { hostEntryOf } from "../../support/host-entry.ts";
import { freePort, hasSshd, type SshdHost, startSshd } from "../../support/sshd.ts";
import { startTcpProxy } from "../../support/tcp-proxy.ts";

describe.skipIf(!hasSshd).each(TRANSPORTS)("a host that cannot be reached over %s", (transport) => {
  const { failure, open } = overTransport(transport);

  test("because nothing listens", async () => {
    await using sshd = await startSshd();
    const error = await failure(sshd, {}, config(sshd, await freePort()));
    expect(error.code).toBe("HOST_UNREACHABLE");
    expect(error.why).toMatch(/^nothing listens on that port/);
  });

  test("because its name does not exist", async () => {
    await using sshd = await startSshd();
    const ssh = { host: "no-such-host.invalid", user: sshd.user };
    expect(await failure(sshd, {}, { ssh })).toMatchObject({ code: "HOST_UNREACHABLE" });
  });

  test("because the port is silent", async () => {
    await using sshd = await startSshd();
    await using proxy = await startTcpProxy(sshd.port);
    proxy.blackHole();
    expect(await failure(sshd, {}, config(sshd, proxy.port))).toMatchObject({
      code: "HOST_UNREACHABLE",
      why: expect.stringContaining("handshake did not finish in time"),
    });
  });

  test("because something else listens", async () => {
    await using sshd = await startSshd();
    const server = createServer((client) => {
      client.on("error", () => undefined);
      client.end("HTTP/1.1 400 Bad\u001b[2JRequest\r\n\r\n");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address ? address.port : 0;
    expect(await failure(sshd, {}, config(sshd, port))).toMatchObject({
      code: "HOST_UNREACHABLE",
      // Neither lets the control character through.
      why: expect.stringMatching(
        /^what listens there does not speak SSH: it said `HTTP\/1\.1 400 Bad(?: |\\033)\[2JRequest`$/,
      ),
    });
    server.close();
  });

  test("for a moment, because sshd drops connections, is tried again", async () => {
    await using sshd = await startSshd();
    await using proxy = await startTcpProxy(sshd.port, { refuseFirst: 6 });
    writeFileSync(sshd.knownHosts, sshd.knownHostsText(`[127.0.0.1]:${proxy.port}`));
    const session = await open(
      sshd,
      {},
      { ssh: { host: "127.0.0.1", user: sshd.user, port: proxy.port } },
    );
    session.close();
    expect(proxy.connections).toBe(7);
  });

  test("because sshd keeps dropping connections, after seven attempts", async () => {
    await using sshd = await startSshd();
    await using proxy = await startTcpProxy(sshd.port, { refuseFirst: 100 });
    const error = await failure(
      sshd,
      {},
      { ssh: { host: "127.0.0.1", user: sshd.user, port: proxy.port } },
    );
    expect(error).toMatchObject({
      code: "HOST_UNREACHABLE",
      why: expect.stringContaining("before the SSH handshake"),
    });
    expect(proxy.connections).toBe(7);
  });

  test("because there is no common key exchange", async () => {
    await using sshd = await startSshd({
      config: ["KexAlgorithms diffie-hellman-group-exchange-sha256"],
    });
    expect(await failure(sshd, {}, { transport: "node" })).toMatchObject({
      code: "SSH_UNSUPPORTED",
      why: expect.stringContaining("no matching key exchange"),
    });
  });

  test("because we were told to stop", async () => {
    await using sshd = await startSshd();
    await using proxy = await startTcpProxy(sshd.port);
    proxy.blackHole();
    const stop = new AbortController();
    const host = hostEntryOf(sshd, {
      ssh: { host: "127.0.0.1", user: sshd.user, port: proxy.port },
    });
    const connecting = connect(host, nodePorts({ home: sshd.home, env: {} }), {
      signal: stop.signal,
    });
    await expect.poll(() => proxy.connections).toBe(1);
    const reason = new SyncCredsError("INTERRUPTED", "Ctrl-C");
    stop.abort(reason);
    await expect(connecting).rejects.toBe(reason);
  });
});

function config(sshd: SshdHost, port: number): Partial<Host> {
  appendFileSync(sshd.sshConfig, "  ConnectTimeout 1\n");
  return { ssh: { host: "web", port }, sshConfig: sshd.sshConfig };
}
