import type { RemoteHalf } from "../remote/remote-half.ts";
import { parseRestart } from "../remote/restart-report.ts";
import type { RestartReport } from "../remote/restart-report.ts";

export interface Restarting {
  /** Resolves as soon as a new process listens, or the restart has failed. */
  readonly listening: Promise<unknown>;
  /** Resolves after the stability window. */
  readonly done: Promise<RestartReport>;
}

/**
 * Asks the host to restart the wrapper by the recipe that the change was begun with. The request may be sent while
 * the install is still under way: the host skips it when that fails.
 */
export function restart(half: RemoteHalf, run: string, timeoutMs: number): Restarting {
  let hear = () => {};
  const heard = new Promise<void>((resolve) => (hear = resolve));
  const done = half
    .ask(
      { verb: "restart", fields: { run } },
      { timeoutMs, onFact: ({ key }) => key === "listening" && hear() },
    )
    .then(parseRestart);
  done.catch(() => {}); // judged by whoever waits for `done`; an earlier failure may make that nobody
  return { listening: Promise.race([heard, done]), done };
}
