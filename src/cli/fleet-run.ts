import { hostname } from "node:os";
import { connect } from "../connect/connect.ts";
import { askAhead } from "../connect/ssh-config.ts";
import type { HostResult, RunEvent } from "../outcome.ts";
import { syncHost } from "../pipeline.ts";
import type { Ports } from "../ports.ts";
import type { Purpose } from "../purpose.ts";
import { loadScript } from "../remote/script.ts";
import type { Conduct } from "../rollout/conductor.ts";
import { rollOut } from "../rollout/rollout.ts";
import type { VisitOne } from "../rollout/rollout.ts";
import type { Job } from "../visit.ts";
import { renderOrder } from "./conduct.ts";
import { openLedger } from "./fleet-ledger.ts";

/** What a run over hosts is about. */
export interface FleetRun {
  readonly purpose: Purpose;
  readonly force?: boolean | undefined;
  readonly clearShadows?: boolean | undefined;
  /** Told before the first host. */
  readonly notes?: readonly string[];
  /** How the hosts are gone through. */
  readonly conduct: Conduct;
  /** What is done on each host, where it is not the purpose's change. */
  readonly visit?: VisitOne;
}

/** Goes to the hosts of a run, in whatever way it is shown. */
export type Visiting = (jobs: readonly Job[], run: FleetRun) => Promise<HostResult[]>;

/** How a run is told apart from others of its kind. */
export interface RunOptions {
  readonly dryRun?: boolean;
  /** Without the notes before the first host. */
  readonly quiet?: boolean;
  /** Seconds to wait for another run on a host to end. */
  readonly wait?: number;
}

/** Where it happens, and who is told. */
export interface Stage {
  readonly ports: Ports;
  readonly signal: AbortSignal;
  readonly emit: (event: RunEvent) => void;
}

/** Goes to all hosts; what was changed is noted in the ledger. The command line and the library both come through here. */
export async function goThrough(
  jobs: readonly Job[],
  { purpose, force = false, clearShadows = false, notes = [], conduct, visit = syncHost }: FleetRun,
  { dryRun = false, quiet = false, wait = 0 }: RunOptions,
  { ports, signal, emit }: Stage,
): Promise<HostResult[]> {
  const names = jobs.map(({ host }) => host.name);
  const note = (text: string, host?: string) => {
    emit({ type: "note", text, at: ports.now(), ...(host === undefined ? {} : { host }) });
  };
  const who = `${ports.userName}@${hostname()}`.replace(/[^\w.@-]/g, "_");
  askAhead(
    jobs.map(({ host }) => host),
    ports,
  );
  const ledger = dryRun ? undefined : openLedger(ports, { purpose, who }, note);
  // Whatever else is done on hosts has no order.
  const order = visit === syncHost ? renderOrder(conduct, names) : [];
  if (!quiet) for (const text of [...notes, ...order]) note(text);
  return rollOut(
    jobs,
    {
      ports,
      connect: (host, abort) =>
        connect(host, ports, {
          turn: `${names.indexOf(host.name) + 1}/${names.length}`,
          signal: abort,
          notes: (line) => note(line, host.name),
        }),
      script: await loadScript(ports.files),
      who,
      purpose,
      dryRun,
      force,
      clearShadows,
      waitMs: wait * 1000,
      signal,
      emit,
    },
    conduct,
    async (job, run) => {
      const result = await visit(job, run);
      await ledger?.(job, result);
      return result;
    },
  );
}
