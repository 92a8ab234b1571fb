import { untouched } from "./endings.ts";
import type { Ending } from "./endings.ts";
import { toSyncCredsError } from "./errors.ts";
import { startDeadline } from "./once-per-run.ts";
import type { HostResult } from "./outcome.ts";
import { resultOf } from "./result.ts";
import type { Job, Run, Visit } from "./visit.ts";

/** Does one thing on one host, within the host's time, and tells how it ended. Never rejects. */
export async function visitHost(
  job: Job,
  run: Run,
  act: (visit: Visit) => Promise<Ending>,
): Promise<HostResult> {
  await run.turns.connect(job.host.name);
  const startedAt = run.ports.now();
  using deadline = startDeadline(run.ports, job.host.deadlineMs);
  const visit: Visit = {
    ...job,
    run,
    id: run.ports.randomHex(8),
    signal: AbortSignal.any([run.signal, deadline.signal]),
    deadline,
  };
  const ending = run.signal.aborted
    ? NOT_ATTEMPTED
    : await act(visit).catch((thrown: unknown) => untouched(toSyncCredsError(thrown)));
  const result = resultOf(job.host, job.offer, ending, run.ports.now() - startedAt, run.purpose);
  run.emit({ type: "host", result, at: run.ports.now() });
  return result;
}

/** Ctrl-C came before this host's turn. */
const NOT_ATTEMPTED: Ending = { outcome: "not-attempted", code: "INTERRUPTED" };
