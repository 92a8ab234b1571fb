import { setTimeout as sleep } from "node:timers/promises";

/*
 * With `MaxStartups` at its default (10:30:100) sshd drops three connections of ten while ten others have not logged in
 * yet, and more of them the more there are. Where many hosts share a slow server that may last for seconds.
 */

/** How often a connection is tried again that sshd has dropped before the handshake: for six seconds or so. */
export const RETRIES = 6;

/** Waits before the try that follows the given one, counted from 0. */
export async function waitForRoom(attempt: number): Promise<void> {
  // Hosts behind one address, and the runs of other people, must not come back all at once.
  await sleep(2 ** Math.min(attempt, 3) * (100 + 200 * Math.random()));
}
