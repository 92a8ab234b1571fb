import { createServer } from "node:net";
import type { Socket } from "node:net";
import { gzipSync } from "node:zlib";

/** A service on loopback that misbehaves in one way. */
export interface Adversary {
  readonly url: string;
  /** Everything that clients sent, all connections together. */
  readonly received: () => string;
  readonly connections: () => number;
  readonly close: () => Promise<void>;
}

/** The ways to misbehave. Each answers one request whose head has arrived. */
export type Behaviour = keyof typeof BEHAVIOURS;

export const INVALID_KEY = "Invalid API key · Fix external API key";

export interface AdversaryOptions {
  /**
   * Asked at each whole request: whether to answer this one well, with the last word of the question. Without it no
   * request is.
   */
  readonly answersWell?: (request: string) => boolean | Promise<boolean>;
}

/** Starts an adversary on a free port. */
export async function openAdversary(
  behaviour: Behaviour,
  { answersWell }: AdversaryOptions = {},
): Promise<Adversary> {
  const sockets = new Set<Socket>();
  let received = "";
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => undefined);
    let seen = "";
    let answered = false;
    socket.on("data", (chunk) => {
      received += chunk.toString("utf8");
      seen += chunk.toString("utf8");
      if (answered || !(answersWell === undefined ? hasHead(seen) : isWhole(seen))) return;
      answered = true;
      void Promise.resolve(answersWell?.(seen) ?? false).then((well) =>
        well ? answerWell(socket, seen) : BEHAVIOURS[behaviour](socket, seen),
      );
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const { port } = address;
  return {
    url: `http://127.0.0.1:${port}`,
    received: () => received,
    connections: () => connections,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

const BEHAVIOURS = {
  hang: () => undefined,
  trickle: (socket: Socket) => {
    socket.write(head(200, "application/json", "content-length: 1000000\r\n"));
    drip(socket, " ", 100);
  },
  "trickling-head": (socket: Socket) => {
    socket.write("HTTP/1.1 200 OK\r\nx-slow: ");
    drip(socket, "a", 100);
  },
  html: (socket: Socket) => reply(socket, 200, "<html><h1>It works</h1></html>", "text/html"),
  "status-500": (socket: Socket) => reply(socket, 500, "Internal Server Error", "text/plain"),
  "status-502": (socket: Socket) => reply(socket, 502, "<h1>502 Bad Gateway</h1>", "text/html"),
  "status-401": (socket: Socket) => reply(socket, 401, json({ detail: "Not authenticated" })),
  "quoting-401": (socket: Socket, request: string) => {
    const quoted = /^authorization: .*$/im.exec(request)?.[0];
    reply(socket, 401, json({ detail: `unknown ${quoted}` }));
  },
  "status-403": (socket: Socket) => reply(socket, 403, json({ detail: "Forbidden" })),
  "status-404": (socket: Socket) => reply(socket, 404, json({ detail: "Not Found" })),
  "status-429": (socket: Socket) => reply(socket, 429, json({ error: "slow down" })),
  "status-529": (socket: Socket) => reply(socket, 529, json({ error: "busy" })),
  "huge-body": (socket: Socket) => {
    socket.write(head(200, "application/json", `content-length: ${100 * 1024 * 1024}\r\n`));
    pour(socket, 100 * 1024 * 1024);
  },
  "endless-body": (socket: Socket) => {
    socket.write(head(200, "application/json", ""));
    pour(socket, Infinity);
  },
  "gzip-bomb": (socket: Socket) => {
    const bomb = gzipSync(gzipSync(Buffer.alloc(32 * 1024 * 1024)));
    socket.write(
      head(
        200,
        "application/json",
        `content-encoding: gzip, gzip\r\ncontent-length: ${bomb.length}\r\n`,
      ),
    );
    socket.end(bomb);
  },
  redirect: (socket: Socket) =>
    socket.end(
      "HTTP/1.1 307 Elsewhere\r\nlocation: http://127.0.0.1:9/chat\r\ncontent-length: 0\r\n\r\n",
    ),
  "empty-200": (socket: Socket) => reply(socket, 200, ""),
  "bom-json": (socket: Socket) => reply(socket, 200, `\uFEFF${json({ response: INVALID_KEY })}`),
  "wrong-json": (socket: Socket) => reply(socket, 200, json({ ok: true })),
  banner: (socket: Socket) => socket.write("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"),
  "reset-mid-body": (socket: Socket) => {
    socket.write(head(200, "application/json", "content-length: 1000\r\n"));
    socket.write('{"response":"', () => socket.resetAndDestroy());
  },
  "close-at-once": (socket: Socket) => socket.destroy(),
  "endless-headers": (socket: Socket) => {
    socket.write("HTTP/1.1 200 OK\r\n");
    drip(socket, "x-more: and more\r\n".repeat(100), 1);
  },
  upgrade: (socket: Socket) =>
    socket.write("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n"),
  canned: (socket: Socket) => reply(socket, 200, json({ response: "TEST", status: "success" })),
  "invalid-key": (socket: Socket) =>
    reply(socket, 200, json({ response: INVALID_KEY, status: "success" })),
  "mojibake-invalid-key": (socket: Socket) =>
    reply(socket, 200, json({ response: "Invalid API key В· Fix external API key" })),
  "is-error-success": (socket: Socket) =>
    reply(
      socket,
      200,
      json({ type: "result", subtype: "success", is_error: true, result: INVALID_KEY }),
    ),
} satisfies Record<string, (socket: Socket, request: string) => unknown>;

function hasHead(request: string): boolean {
  return request.includes("\r\n\r\n");
}

function isWhole(request: string): boolean {
  const length = Number(/^content-length: (\d+)/im.exec(request)?.[1] ?? 0);
  const end = request.indexOf("\r\n\r\n");
  return end >= 0 && Buffer.byteLength(request.slice(end + 4)) >= length;
}

function answerWell(socket: Socket, request: string): void {
  const body = request.slice(request.indexOf("\r\n\r\n") + 4);
  const { message = "ok" } = body === "" ? {} : (JSON.parse(body) as { message?: string });
  reply(socket, 200, json({ response: message.split(" ").at(-1), status: "success" }));
}

function reply(socket: Socket, status: number, body: string, type = "application/json"): void {
  socket.end(`${head(status, type, `content-length: ${Buffer.byteLength(body)}\r\n`)}${body}`);
}

function head(status: number, type: string, more: string): string {
  return `HTTP/1.1 ${status} Adverse\r\ncontent-type: ${type}\r\n${more}connection: close\r\n\r\n`;
}

function drip(socket: Socket, text: string, everyMs: number): void {
  const timer = setInterval(() => socket.write(text), everyMs);
  socket.on("close", () => clearInterval(timer));
}

/** Writes as fast as the reader takes it, and never holds more than one chunk. */
function pour(socket: Socket, bytes: number): void {
  const chunk = Buffer.alloc(64 * 1024, "a");
  let left = bytes;
  const more = (): void => {
    while (left > 0 && !socket.destroyed) {
      left -= chunk.length;
      if (!socket.write(chunk)) return void socket.once("drain", more);
    }
    socket.end();
  };
  more();
}

function json(value: unknown): string {
  return JSON.stringify(value);
}
