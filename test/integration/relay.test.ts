import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { buffer } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { SyncCredsError } from "../../src/errors.ts";
import { nodePorts } from "../../src/node-ports.ts";
import { withRelay } from "../../src/remote/relay.ts";
import type { RemoteProcess, Session } from "../../src/remote/session.ts";
import { openLocalSession } from "../support/local-session.ts";
import { SHELLS } from "../support/local-half.ts";
import { findInterpreter, findProgram } from "../support/programs.ts";
import { freePort } from "../support/sshd.ts";

/** What can carry a connection, by the name that the relay looks for. */
const TOOLS = ["python3", "perl", "bash", "curl"].flatMap((name) => {
  const program = findInterpreter(name);
  return program === undefined ? [] : [[name, program] as const];
});
/** The others cannot close one direction alone. */
const HALF_CLOSING = TOOLS.filter(([name]) => name === "python3" || name === "perl");
const LOGIN_SHELLS = ["bash", "dash", "fish", "mksh", "tcsh", "yash", "zsh"].flatMap(
  (name) => findProgram(name) ?? [],
);

/** A host whose sshd forwards nothing, and a service on it. */
interface Place extends AsyncDisposable {
  readonly session: Session;
  readonly port: number;
  /** The relays that were started. */
  readonly relays: readonly RemoteProcess[];
  /** How often forwarding was tried. */
  readonly tries: () => number;
}

interface PlaceOptions {
  readonly tools?: readonly (readonly [name: string, program: string])[];
  readonly shell?: readonly string[];
  readonly loginShell?: string;
  readonly forwards?: boolean;
  readonly noise?: string;
  readonly serve?: (socket: Socket) => void;
}

async function openPlace({
  tools = TOOLS.slice(0, 1),
  shell,
  loginShell,
  forwards = false,
  noise = "",
  serve = (socket) => void socket.pipe(socket),
}: PlaceOptions): Promise<Place> {
  const directory = mkdtempSync(join(tmpdir(), "sync-creds-relay-"));
  const path = join(directory, "bin");
  mkdirSync(path);
  for (const name of ["cat", "dd", "grep"]) symlinkSync(findProgram(name) ?? "", join(path, name));
  for (const [name, program] of tools) symlinkSync(program, join(path, name));
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => undefined);
    serve(socket);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");

  const local = openLocalSession({
    home: directory,
    path,
    ...(shell && { shell: [findProgram(shell[0] ?? "") ?? "", ...shell.slice(1)] }),
    ...(loginShell !== undefined && { loginShell }),
  });
  const relays: RemoteProcess[] = [];
  let tries = 0;
  const session = withRelay(
    {
      ...local,
      async exec(command) {
        const relay = await local.exec(noise === "" ? command : `printf '${noise}'; ${command}`);
        relays.push(relay);
        return relay;
      },
      async openStream(host, port) {
        tries += 1;
        if (forwards) return await local.openStream(host, port);
        throw refusal;
      },
    },
    nodePorts(),
  );
  return {
    session,
    port: address.port,
    relays,
    tries: () => tries,
    async [Symbol.asyncDispose]() {
      session.close();
      server.close();
      rmSync(directory, { recursive: true });
    },
  };
}

const refusal = new SyncCredsError("FORWARDING_REFUSED", "the sshd of local forwards nothing", {
  why: "it refused to connect us",
  next: ["Set `AllowTcpForwarding local`"],
});

/** Sends bytes and waits until as many have come back. */
async function echo(stream: Duplex, bytes: Buffer): Promise<Buffer> {
  const received: Buffer[] = [];
  let left = bytes.length;
  const whole = new Promise<void>((resolve, reject) => {
    stream.on("data", (chunk: Buffer) => {
      received.push(chunk);
      left -= chunk.length;
      if (left <= 0) resolve();
    });
    stream.on("close", () => reject(new Error(`it ended with ${left} bytes to come`)));
  });
  stream.write(bytes);
  await whole;
  return Buffer.concat(received);
}

const ARRANGEMENTS = TOOLS.flatMap((tool) =>
  SHELLS.map(([name, shell]) => [tool[0], name, tool, shell] as const),
);

describe("where sshd forwards no connections", () => {
  test.each(ARRANGEMENTS)("%s carries them, /bin/sh being %s", async (name, _, tool, shell) => {
    await using place = await openPlace({ tools: [tool], shell });
    // Telnet, which curl speaks, gives the byte 255 a meaning; no text in UTF-8 has it.
    const bytes =
      name === "curl" ? Buffer.from("héllo, шире\r\n".repeat(20_000)) : randomBytes(300_000);

    const stream = await place.session.openStream("127.0.0.1", place.port);

    expect((await echo(stream, bytes)).equals(bytes)).toBe(true);
    stream.destroy();
    expect(await place.relays[0]?.exited).toEqual({ code: 0, signal: null });
  });

  test.each(TOOLS)("%s tells when nothing listens", async (...tool) => {
    await using place = await openPlace({ tools: [tool] });
    const opening = place.session.openStream("127.0.0.1", await freePort());
    await expect(opening).rejects.toMatchObject({ code: "ECONNREFUSED" });
    expect(await place.relays[0]?.exited).toEqual({ code: 0, signal: null });
  });

  test.each(TOOLS)("%s ends as soon as the service does", async (...tool) => {
    const serve = (socket: Socket) =>
      void socket.once("data", () => socket.end("what it had to say"));
    await using place = await openPlace({ tools: [tool], serve });
    const stream = await place.session.openStream("127.0.0.1", place.port);
    stream.write("a question");
    expect((await buffer(stream)).toString()).toBe("what it had to say");
    expect(await place.relays[0]?.exited).toEqual({ code: 0, signal: null });
  });

  test.each(HALF_CLOSING)("%s hears out a service that waits for our end", async (...tool) => {
    const serve = (socket: Socket) => {
      const question: Buffer[] = [];
      socket.on("data", (chunk: Buffer) => question.push(chunk));
      socket.on("end", () => socket.end(`${Buffer.concat(question).toString()}: yes`));
    };
    await using place = await openPlace({ tools: [tool], serve });
    const stream = await place.session.openStream("127.0.0.1", place.port);
    stream.end("a question");
    expect((await buffer(stream)).toString()).toBe("a question: yes");
  });

  test.each(LOGIN_SHELLS)("the login shell may be %s, and noisy", async (loginShell) => {
    const noise = "Welcome!\\n 00 open\\nloading";
    await using place = await openPlace({ loginShell, noise });
    const stream = await place.session.openStream("127.0.0.1", place.port);
    expect((await echo(stream, Buffer.from("there?"))).toString()).toBe("there?");
  });

  test("a tool that does not work here is passed over", async () => {
    const broken = join(mkdtempSync(join(tmpdir(), "sync-creds-tool-")), "python3");
    writeFileSync(broken, "#!/bin/sh\necho 'install the developer tools' >&2\nexit 1\n", {
      mode: 0o755,
    });
    await using place = await openPlace({ tools: [["python3", broken], ...TOOLS.slice(1)] });
    const stream = await place.session.openStream("127.0.0.1", place.port);
    expect((await echo(stream, Buffer.from("there?"))).toString()).toBe("there?");
    rmSync(join(broken, ".."), { recursive: true });
  });

  test("forwarding is tried once, each stream has a relay of its own", async () => {
    await using place = await openPlace({});
    const streams = [
      await place.session.openStream("127.0.0.1", place.port),
      await place.session.openStream("localhost", place.port),
    ];
    const answers = await Promise.all(
      streams.map((stream, index) => echo(stream, Buffer.from(`question ${index}`))),
    );
    expect(answers.map(String)).toEqual(["question 0", "question 1"]);
    expect([place.tries(), place.relays.length]).toEqual([1, 2]);
  });

  test("without any tool the error says what to enable or install", async () => {
    await using place = await openPlace({ tools: [] });
    await expect(place.session.openStream("127.0.0.1", place.port)).rejects.toMatchObject({
      code: "FORWARDING_REFUSED",
      message: refusal.message,
      why: expect.stringContaining("none of python3, perl, bash and curl") as string,
      next: [...refusal.next, expect.stringContaining("install python3") as string],
    });
  });
});

test("where it does, nothing is started for a stream", async () => {
  await using place = await openPlace({ forwards: true });
  const stream = await place.session.openStream("127.0.0.1", place.port);
  expect((await echo(stream, Buffer.from("there?"))).toString()).toBe("there?");
  expect([place.tries(), place.relays.length]).toEqual([1, 0]);
  stream.destroy();
});
