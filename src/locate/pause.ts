import { SyncCredsError } from "../errors.ts";
import type { Ports } from "../ports.ts";

/** Waits, unless `signal` fires: then the error `INTERRUPTED`. */
export async function pause(
  milliseconds: number,
  { sleep }: Pick<Ports, "sleep">,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await sleep(milliseconds, signal);
  } catch (error) {
    if (signal?.aborted !== true) throw error;
  }
  if (signal?.aborted !== true) return;
  throw new SyncCredsError("INTERRUPTED", "interrupted before any host was touched", {
    next: ["Run the command again"],
  });
}
