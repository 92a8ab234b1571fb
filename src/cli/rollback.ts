import type { HostResult } from "../outcome.ts";
import type { Terminal } from "../output/terminal.ts";
import type { Ports } from "../ports.ts";
import { conductOf } from "./conduct.ts";
import { chooseHosts, onThisMachine, reportOn, visitHosts } from "./fleet.ts";
import type { FleetOptions } from "./fleet.ts";
import { prepareBareJobs } from "./prepare.ts";
import type { Visiting } from "./fleet-run.ts";

/** The options of `rollback`, as the command line names them. */
export interface RollbackOptions extends FleetOptions {
  /** The beginning of a backup's id. */
  readonly to?: string;
  readonly force?: boolean;
}

/** `rollback` on this machine; resolves with the exit status. Never rejects. */
export function rollback(
  names: readonly string[],
  options: RollbackOptions,
  terminal: Terminal,
): Promise<number> {
  return onThisMachine(options, terminal, (world) =>
    reportOn(options, world, () =>
      rollBackAll(names, options, world.ports, (jobs, run) =>
        visitHosts(jobs, run, options, world),
      ),
    ),
  );
}

/** Puts all hosts back. Rejects with a `SyncCredsError` when no host is gone to. */
export async function rollBackAll(
  names: readonly string[],
  options: RollbackOptions,
  ports: Ports,
  visit: Visiting,
): Promise<HostResult[]> {
  const { to: backup, force } = options;
  const chosen = await chooseHosts(names, options, { ports });
  const jobs = await prepareBareJobs(chosen.hosts, chosen.directory, ports);
  const conduct = conductOf(chosen, "Roll back", options, ports);
  return visit(jobs, { purpose: { kind: "restore", backup }, force, conduct });
}
