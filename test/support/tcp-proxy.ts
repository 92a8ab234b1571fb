import { connect, createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** A loopback TCP proxy with switches, for every way in which a link can fail. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** From now on nothing passes, in either direction, and nobody is told. */
  blackHole(): void;
  /** Ends every connection with a reset (RST). */
  cut(): void;
  /** Ends every connection in the polite way (FIN). */
  hangUp(): void;
  /** Bytes that passed so far, as the client sees it. */
  readonly bytes: { readonly sent: number; readonly received: number };
  /** How often the client has spoken after it had heard something new: its round trips, if there is a delay. */
  readonly flights: number;
  /** Connections accepted so far. */
  readonly connections: number;
}

export interface ProxyOptions {
  /** Delay in milliseconds for each direction. */
  readonly sendDelayMs?: number;
  readonly receiveDelayMs?: number;
  /** The first this many connections are reset as soon as they are made. */
  readonly refuseFirst?: number;
  /** Cuts what passes towards the client into pieces of this many bytes. */
  readonly pieceBytes?: number;
}

/** Starts a proxy in front of a loopback port. */
export async function startTcpProxy(
  targetPort: number,
  { sendDelayMs = 0, receiveDelayMs = 0, refuseFirst = 0, pieceBytes }: ProxyOptions = {},
): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  const bytes = { sent: 0, received: 0 };
  let isBlackHole = false;
  let connections = 0;
  let flights = 0;
  let hasHeard = true;

  const pipe = (
    from: Socket,
    to: Socket,
    delayMs: number,
    count: (length: number) => void,
  ): void => {
    let last: Promise<unknown> = Promise.resolve();
    const inOrder = (act: () => void): void => {
      const due = delayMs === 0 ? Promise.resolve() : sleep(delayMs);
      last = Promise.all([last, due]).then(() => !isBlackHole && !to.destroyed && act());
    };
    from.on("data", (chunk) => {
      inOrder(() => {
        count(chunk.length);
        const size = pieceBytes ?? chunk.length;
        for (let at = 0; at < chunk.length; at += size) to.write(chunk.subarray(at, at + size));
      });
    });
    from.on("end", () => inOrder(() => to.end()));
    from.on("error", () => to.destroy());
  };

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    connections += 1;
    if (connections <= refuseFirst) {
      client.on("error", () => undefined);
      client.resetAndDestroy();
      return;
    }
    const target = connect({
      host: "127.0.0.1",
      port: targetPort,
      noDelay: true,
      allowHalfOpen: true,
    });
    for (const socket of [client, target]) {
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
    }
    client.on("data", () => {
      if (hasHeard) flights += 1;
      hasHeard = false;
    });
    pipe(client, target, sendDelayMs, (length) => (bytes.sent += length));
    pipe(target, client, receiveDelayMs, (length) => {
      bytes.received += length;
      hasHeard = true;
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    bytes,
    get flights() {
      return flights;
    },
    get connections() {
      return connections;
    },
    blackHole: () => {
      isBlackHole = true;
    },
    cut: () => sockets.forEach((socket) => socket.resetAndDestroy()),
    hangUp: () => sockets.forEach((socket) => socket.end()),
    [Symbol.asyncDispose]: async () => {
      sockets.forEach((socket) => socket.destroy());
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}
