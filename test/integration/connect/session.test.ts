import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { buffer, text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { overTransport, runOn, TRANSPORTS } from "../../support/connected.ts";
import { canChooseShell, freePort, hasSshd, startSshd } from "../../support/sshd.ts";
import { startTcpProxy } from "../../support/tcp-proxy.ts";

describe.skipIf(!hasSshd).each(TRANSPORTS)("an open session over %s", (transport) => {
  const { open } = overTransport(transport);

  test("carries bytes both ways, whole, with the exit status", async () => {
    await using sshd = await startSshd();
    const session = await open(sshd);
    const sent = Buffer.from(Array.from({ length: 5_000_000 }, (_, index) => (index * 31) % 256));
    const { stdin, stdout, exited } = await session.exec("cat; exit 7");
    const [received] = await Promise.all([
      buffer(stdout),
      new Promise<void>((resolve) => stdin.end(sent, resolve)),
    ]);
    expect(received.equals(sent)).toBe(true);
    expect(await exited).toEqual({ code: 7, signal: null });
    session.close();
  });

  test("does not decode: a character cut in two arrives whole", async () => {
    await using sshd = await startSshd();
    await using proxy = await startTcpProxy(sshd.port, { pieceBytes: 7 });
    writeFileSync(sshd.knownHosts, sshd.knownHostsText(`[127.0.0.1]:${proxy.port}`));
    const session = await open(
      sshd,
      {},
      { ssh: { host: "127.0.0.1", user: sshd.user, port: proxy.port } },
    );
    const { stdout } = await session.exec(
      String.raw`printf '\320'; sleep 0.1; printf '\237\321\200\320\270'`,
    );
    expect((await buffer(stdout)).toString("utf8")).toBe("При");
    session.close();
  });

  test("keeps stdout and stderr apart, and tells the signal that ended a command", async () => {
    await using sshd = await startSshd();
    const session = await open(sshd);
    const { stdout, stderr, exited } = await session.exec("echo out; echo err >&2; kill -TERM $$");
    expect(await Promise.all([text(stdout), text(stderr)])).toEqual(["out\n", "err\n"]);
    // The system's ssh tells a signal as its own status 255.
    expect(await exited).toEqual(
      transport === "node" ? { code: null, signal: "SIGTERM" } : { code: 255, signal: null },
    );
    session.close();
  });

  test("runs one command after the other on a host with MaxSessions 1", async () => {
    await using sshd = await startSshd({ config: ["MaxSessions 1"] });
    const session = await open(sshd);
    for (let index = 0; index < 10; index++) {
      const { stdout, exited } = await session.exec(`echo ${index}`);
      expect(await text(stdout)).toBe(`${index}\n`);
      await exited;
    }
    session.close();
  });

  test("says when the host starts no commands", async () => {
    await using sshd = await startSshd({ config: ["MaxSessions 0"] });
    const session = await open(sshd);
    await expect(session.exec("true")).rejects.toMatchObject({ code: "REMOTE_SHELL" });
    session.close();
  });

  test("opens a stream to a port of the host", async () => {
    await using sshd = await startSshd();
    const server = createServer((client) => client.end("hello from inside"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const session = await open(sshd);
    const stream = await session.openStream(
      "127.0.0.1",
      typeof address === "object" && address ? address.port : 0,
    );
    expect(await text(stream)).toBe("hello from inside");
    session.close();
    server.close();
  });

  test("tells a closed port from a host that forbids forwarding", async () => {
    await using sshd = await startSshd();
    await using strict = await startSshd({ config: ["AllowTcpForwarding no"] });
    const port = await freePort();
    const session = await open(sshd);
    await expect(session.openStream("127.0.0.1", port)).rejects.toMatchObject({
      code: "ECONNREFUSED",
    });
    session.close();
    const other = await open(strict);
    await expect(other.openStream("127.0.0.1", port)).rejects.toMatchObject({
      code: "FORWARDING_REFUSED",
    });
    other.close();
  });

  test.each(["cut", "hangUp"] as const)(
    "%s in the middle of a command is a lost connection",
    async (way) => {
      await using sshd = await startSshd();
      await using proxy = await startTcpProxy(sshd.port);
      writeFileSync(sshd.knownHosts, sshd.knownHostsText(`[127.0.0.1]:${proxy.port}`));
      const session = await open(
        sshd,
        {},
        { ssh: { host: "127.0.0.1", user: sshd.user, port: proxy.port } },
      );
      const running = await session.exec("echo started; exec sleep 60");
      running.stdout.once("data", () => proxy[way]());
      await expect(running.exited).rejects.toMatchObject({ code: "CONNECTION_LOST" });
      await expect(session.lost).rejects.toMatchObject({ code: "CONNECTION_LOST" });
      running.stdin.write("into the void");
      await expect(session.exec("true")).rejects.toMatchObject({ code: "CONNECTION_LOST" });
      await expect(session.openStream("127.0.0.1", 1)).rejects.toMatchObject({
        code: "CONNECTION_LOST",
      });
      session.close();
      session.close();
    },
  );

  test("killed on the host is a lost connection", async () => {
    await using sshd = await startSshd();
    const session = await open(sshd);
    const running = await session.exec("echo started; exec sleep 60");
    running.stdout.once("data", () => sshd.dropConnections());
    await expect(running.exited).rejects.toMatchObject({ code: "CONNECTION_LOST" });
  });

  test("a link that swallows everything is noticed", { timeout: 60_000 }, async () => {
    await using sshd = await startSshd();
    await using proxy = await startTcpProxy(sshd.port);
    writeFileSync(sshd.knownHosts, sshd.knownHostsText(`[127.0.0.1]:${proxy.port}`));
    const session = await open(
      sshd,
      {},
      { ssh: { host: "127.0.0.1", user: sshd.user, port: proxy.port } },
    );
    proxy.blackHole();
    await expect(session.exec("true")).rejects.toMatchObject({
      code: "CONNECTION_LOST",
      why: expect.stringContaining("no sign of life"),
    });
  });

  test("closed while a command is being started ends it", async () => {
    await using sshd = await startSshd();
    const session = await open(sshd);
    const starting = session.exec("sleep 60");
    session.close();
    await expect(starting).rejects.toMatchObject({ code: "CONNECTION_LOST" });
  });
});

if (!canChooseShell) console.warn("\n*** SKIPPED: other login shells need root ***\n");

describe.skipIf(!canChooseShell)("a host with another login shell", () => {
  test.each(["/bin/sh", "/bin/bash"])("%s runs the command in its own home", async (shell) => {
    await using sshd = await startSshd({ shell });
    const command = "echo $HOME $0; pwd; id -un";
    const { out } = await runOn(sshd, command);
    expect(out).toContain(`${sshd.home} `);
    expect(out).toContain(`${sshd.home}\n${sshd.user}\n`);
  });

  test("nologin ends at once, with its status", async () => {
    await using sshd = await startSshd({ shell: "/usr/sbin/nologin" });
    await expect(runOn(sshd, "true")).resolves.toMatchObject({ code: 1 });
  });
});
