import type { RemoteHalf } from "./remote/remote-half.ts";
import { pollHealth, smokeTest } from "./smoke/smoke.ts";
import type { Verdict } from "./smoke/verdict.ts";
import type { Connection, Visit } from "./visit.ts";

/** Signs of life for the dead-man switch while something takes its time. */
export async function beating<T>(
  half: RemoteHalf,
  visit: Visit,
  work: () => Promise<T>,
): Promise<T> {
  const beat = setInterval(
    () => void half.ask({ verb: "alive", fields: { run: visit.id } }).catch(() => {}),
    Math.min(10_000, visit.host.confirmTimeoutMs / 4),
  );
  try {
    return await work();
  } finally {
    clearInterval(beat);
  }
}

/** Health and the question. */
export async function prove(
  { session }: Connection,
  visit: Visit,
  over: AbortSignal,
): Promise<Verdict> {
  const { host, bearer, run, signal } = visit;
  const { wrapper } = host;
  const means = { bearer, ports: run.ports, signal: AbortSignal.any([signal, over]) };
  // Side by side: a wrapper that is up at once needs no round trip more than the question takes.
  const [health, verdict] = await Promise.all([
    wrapper.health === undefined
      ? undefined
      : pollHealth(session, wrapper, { ...means, deadlineMs: wrapper.startTimeoutMs }),
    smokeTest(session, wrapper, {
      ...means,
      deadlineMs: wrapper.timeoutMs,
      startMs: host.restart.kind === "none" ? 0 : wrapper.startTimeoutMs,
    }),
  ]);
  return health === undefined || health.healthy
    ? verdict
    : { class: "not-running", detail: health.detail };
}
