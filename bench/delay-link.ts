import { connect, createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Fleet } from "./fleet.ts";

/** The way to a fleet, made longer. */
export interface DelayLink extends AsyncDisposable {
  /** The port of each host's address behind which the long way lies. */
  readonly port: number;
}

/**
 * Puts a delaying TCP proxy in front of every host; without a delay there is none, and `port` is the hosts' own. A connection's first byte from the host comes after two
 * round trips, as over a real link, where one of them is TCP's own; everything later after half of one in each direction.
 */
export async function openDelayLink(fleet: Fleet, roundTripMs: number): Promise<DelayLink> {
  if (roundTripMs === 0) return { port: fleet.port, [Symbol.asyncDispose]: async () => {} };
  const port = fleet.port + 10_000;
  const sockets = new Set<Socket>();
  const servers = fleet.hosts.map(({ address }) => {
    const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
      const target = arrive(address, fleet.port, 1.5 * roundTripMs);
      for (const [from, to] of [
        [Promise.resolve(client), target],
        [target, Promise.resolve(client)],
      ] as const) {
        void carry(from, to, roundTripMs / 2, sockets);
      }
    });
    return { server, address };
  });
  for (const { server, address } of servers) {
    await new Promise<void>((resolve) => {
      server.listen(port, address, resolve);
    });
  }
  return {
    port,
    async [Symbol.asyncDispose]() {
      sockets.forEach((socket) => socket.destroy());
      await Promise.all(
        servers.map(({ server }) => new Promise((resolve) => server.close(resolve))),
      );
    },
  };
}

async function arrive(host: string, port: number, delayMs: number): Promise<Socket> {
  await sleep(delayMs);
  return connect({ host, port, noDelay: true, allowHalfOpen: true });
}

/** Each piece leaves `delayMs` after it has come, and none before the one ahead of it. */
async function carry(
  coming: Promise<Socket>,
  going: Promise<Socket>,
  delayMs: number,
  sockets: Set<Socket>,
): Promise<void> {
  const from = await coming;
  sockets.add(from);
  from.on("close", () => sockets.delete(from));
  let ahead: Promise<void> = Promise.resolve();
  const later = (act: (to: Socket) => void): void => {
    const due = sleep(delayMs);
    const before = ahead;
    ahead = (async () => {
      const [to] = await Promise.all([going, before, due]);
      if (!to.destroyed) act(to);
    })();
  };
  from.on("error", () => later((to) => to.destroy()));
  from.on("data", (piece) => later((to) => to.write(piece)));
  from.on("end", () => later((to) => to.end()));
}
