import { once } from "node:events";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { createServer } from "node:net";
import type { Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer, text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import ssh2 from "ssh2";
import type { Client, ClientChannel, ConnectConfig } from "ssh2";
import { afterEach, beforeEach, expect, test } from "vitest";
import { generateKeyPair, startEmbeddedHost } from "../../src/demo/embedded-host.ts";
import type { EmbeddedHost } from "../../src/demo/embedded-host.ts";

let folder: string;
let identityFile: string;
let host: EmbeddedHost;
const clients: Client[] = [];
const listeners: Server[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "embedded-host-"));
  identityFile = join(folder, "id");
  host = await startEmbeddedHost({ home: folder, identityFile });
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.end();
  for (const listener of listeners.splice(0)) listener.close();
  await host.close();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

test.each([
  ["true", 0],
  ["exit 7", 7],
  ["no-such-program-anywhere", 127],
])("`%s` ends with %i", async (command, code) => {
  expect((await run(command)).code).toBe(code);
});

test("a killed command ends with its signal", async () => {
  expect(await run("kill -TERM $$")).toMatchObject({ code: null, signal: "SIGTERM" });
});

test("bytes come back as they went, beyond the window of a channel", async () => {
  const bytes = Buffer.alloc(
    5 * 1024 * 1024,
    Buffer.from(Array.from({ length: 251 }, (_, i) => i)),
  );
  const { stdout, code } = await run("cat", bytes);
  expect(code).toBe(0);
  expect(stdout.equals(bytes)).toBe(true);
});

test("stdout and stderr are two streams, whole even where the command ends at once", async () => {
  const ran = await run("head -c 300000 /dev/zero >&2; printf out; exit 3");
  expect(ran).toMatchObject({ stdout: Buffer.from("out"), code: 3 });
  expect(ran.stderr.length).toBe(300_000);
});

test("a command starts at home and knows only HOME and PATH of us", async () => {
  const { stdout } = await run(
    `cd -P . && pwd; env | sed 's/=.*//' | grep -vx -e PWD -e _ -e SHLVL -e OLDPWD | sort`,
  );
  const [place, ...names] = stdout.toString("utf8").trim().split("\n");
  expect(place).toMatch(/embedded-host-/);
  expect(names).toEqual(["HOME", "PATH"]);
});

test("a home that is gone is an exit status, not a crash", async () => {
  const client = await connect();
  await rm(folder, { recursive: true });
  expect((await run("true", undefined, client)).code).toBe(127);
});

test("a command that outlives its client is not killed; its input is at the end", async () => {
  const client = await connect();
  const channel = await exec(
    client,
    "echo started; cat >/dev/null; sleep 0.2; echo still here >late",
  );
  await once(channel, "data");
  client.destroy();
  await expect
    .poll(() => readFile(join(folder, "late"), "utf8").catch(() => ""))
    .toBe("still here\n");
});

test("closing the host waits for its commands", async () => {
  const channel = await exec(
    await connect(),
    "echo started; cat >/dev/null; sleep 0.3; echo done >late",
  );
  await once(channel, "data");
  await host.close();
  expect(await readFile(join(folder, "late"), "utf8")).toBe("done\n");
});

test("a stream reaches a service on the host's loopback", async () => {
  const port = await serve((said) => said.toUpperCase());
  const channel = await forward(await connect(), "127.0.0.1", port);
  channel.end("hello");
  expect(await text(channel)).toBe("HELLO");
});

test("many streams over one connection leave no warning behind", async () => {
  const warnings: Error[] = [];
  const listen = (warning: Error) => void warnings.push(warning);
  process.on("warning", listen);
  const port = await serve((said) => said);
  const client = await connect();
  for (let i = 0; i < 20; i++) {
    const channel = await forward(client, "127.0.0.1", port);
    channel.end("hello");
    expect(await text(channel)).toBe("hello");
  }
  await sleep(20);
  process.off("warning", listen);
  expect(warnings).toEqual([]);
});

test("a port where nothing listens is told as such", async () => {
  const port = await serve((said) => said);
  for (const listener of listeners.splice(0)) await once(listener.close(), "close");
  await expect(forward(await connect(), "127.0.0.1", port)).rejects.toMatchObject({ reason: 2 });
});

test.each(["localhost", "0.0.0.0", "192.0.2.1", "::1"])(
  "nothing is forwarded to %s",
  async (to) => {
    const port = await serve((said) => said);
    await expect(forward(await connect(), to, port)).rejects.toThrow(/open fail/i);
  },
);

test("only the one key opens the door", async () => {
  const other = generateKeyPair().private;
  await expect(connect({ privateKey: other })).rejects.toThrow(/authentication methods failed/);
});

test("another user with the right key is refused", async () => {
  await expect(connect({ username: "root" })).rejects.toThrow(/authentication methods failed/);
});

test("a password is refused", async () => {
  const attempt = connect({ authHandler: ["none", "password"], password: "demo" });
  await expect(attempt).rejects.toThrow(/authentication methods failed/);
});

test("the private key is for its owner alone", async () => {
  expect((await stat(identityFile)).mode & 0o777).toBe(0o600);
});

test("the host shows the key that its line of known_hosts names", async () => {
  let shown = "";
  await connect({ hostVerifier: (key: Buffer) => ((shown = key.toString("base64")), true) });
  expect(host.knownHostsLine).toContain(`[127.0.0.1]:${host.port} ssh-ed25519 ${shown}`);
});

test("a terminal, SFTP and variables are refused", async () => {
  const client = await connect();
  await expect(asPromise((done) => client.shell(done))).rejects.toThrow(
    /request a pseudo-terminal/,
  );
  await expect(asPromise((done) => client.sftp(done))).rejects.toThrow(/subsystem/);
  const channel = await asPromise<ClientChannel>((done) =>
    client.exec("echo ${LANG-none}", { env: { LANG: "C" } }, done),
  );
  expect(await text(channel)).toBe("none\n");
});

async function connect(different: Partial<ConnectConfig> = {}): Promise<Client> {
  const client = new ssh2.Client();
  clients.push(client);
  const privateKey = await readFile(identityFile, "utf8");
  const { user: username, port } = host;
  const ready = once(client, "ready");
  client.on("error", () => undefined); // the host may hang up first
  client.connect({ host: "127.0.0.1", port, username, privateKey, ...different });
  await ready;
  return client;
}

async function run(command: string, input?: Buffer, client?: Client) {
  const channel = await exec(client ?? (await connect()), command);
  // `exit` may have come together with the start, before anybody could listen; `close` repeats it.
  const ended = new Promise<{ code: number | null; signal: string | undefined }>((resolve) => {
    channel.once("close", (code: number | null, signal?: string) => resolve({ code, signal }));
  });
  channel.end(input);
  const [stdout, stderr] = await Promise.all([buffer(channel), buffer(channel.stderr)]);
  return { stdout, stderr, ...(await ended) };
}

function exec(client: Client, command: string): Promise<ClientChannel> {
  return asPromise((done) => client.exec(command, done));
}

function forward(client: Client, to: string, port: number): Promise<ClientChannel> {
  return asPromise((done) => client.forwardOut("127.0.0.1", 0, to, port, done));
}

function asPromise<T>(
  start: (done: (error: Error | undefined, value: T) => void) => unknown,
): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, value) => (error ? reject(error) : resolve(value)));
  });
}

/** A service that answers once with what it was told, changed. */
async function serve(change: (said: string) => string): Promise<number> {
  const listener = createServer({ allowHalfOpen: true }, (socket) => {
    const said: Buffer[] = [];
    socket.on("data", (chunk) => said.push(chunk));
    socket.on("end", () => socket.end(change(Buffer.concat(said).toString("utf8"))));
  });
  listeners.push(listener);
  await once(listener.listen(0, "127.0.0.1"), "listening");
  const address = listener.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

test("every generated key can be read again", () => {
  for (let i = 0; i < 1500; i++) {
    const { private: key, public: line } = generateKeyPair();
    expect(ssh2.utils.parseKey(key)).not.toBeInstanceOf(Error);
    expect(ssh2.utils.parseKey(line)).not.toBeInstanceOf(Error);
  }
});
