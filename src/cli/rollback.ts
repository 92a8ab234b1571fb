import type { Terminal } from "../output/terminal.ts";
import { conductOf } from "./conduct.ts";
import { chooseHosts, onThisMachine, reportOn, visitHosts } from "./fleet.ts";
import type { FleetOptions } from "./fleet.ts";
import { prepareBareJobs } from "./prepare.ts";

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
  const { to: backup, force } = options;
  return onThisMachine(options, terminal, (world) =>
    reportOn(options, world, async () => {
      const chosen = await chooseHosts(names, options, world);
      const jobs = await prepareBareJobs(chosen.hosts, chosen.directory, world.ports);
      const conduct = conductOf(chosen, "Roll back", options, world.ports);
      const purpose = { kind: "restore", backup } as const;
      return visitHosts(jobs, { purpose, force, conduct }, options, world);
    }),
  );
}
