import { EventEmitter, once } from "node:events";
import type { Fact } from "../remote/frames.ts";
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
  const request = { verb: "restart", fields: { run } } as const;
  const heard = new EventEmitter();
  const onFact = ({ key }: Fact) => void (key === "listening" && heard.emit(key));
  const done = half.ask(request, { timeoutMs, onFact }).then(parseRestart);
  const listening = Promise.race([once(heard, "listening"), done]);
  // Judged by whoever waits for them; an earlier failure may make that nobody.
  for (const outcome of [listening, done]) outcome.catch(() => {});
  return { listening, done };
}
