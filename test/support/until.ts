import { setTimeout as sleep } from "node:timers/promises";

/** Waits until a condition holds, looking again every 20 ms; fails with `what` after `boundMs`. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  boundMs = 20_000,
): Promise<void> {
  const giveUpAt = Date.now() + boundMs;
  while (!(await holds())) {
    if (Date.now() > giveUpAt) throw new Error(`waited ${boundMs} ms in vain: ${what}`);
    await sleep(20);
  }
}
