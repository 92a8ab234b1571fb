import { visitBackups } from "../backups.ts";
import { SyncCredsError } from "../errors.ts";
import { renderBackups } from "./backups-table.ts";
import type { Terminal } from "../output/terminal.ts";
import { conductOf } from "./conduct.ts";
import { chooseHosts, onThisMachine, reportOn, visitHosts } from "./fleet.ts";
import type { FleetOptions } from "./fleet.ts";
import { prepareBareJobs } from "./prepare.ts";

/** The options of `backups`, as the command line names them. */
export interface BackupsOptions extends FleetOptions {
  readonly prune?: boolean;
  /** How many to leave, with `--prune`. */
  readonly keep?: number;
}

/** `backups` on this machine; resolves with the exit status. Never rejects. */
export function backups(
  names: readonly string[],
  options: BackupsOptions,
  terminal: Terminal,
): Promise<number> {
  const { prune = false, keep = KEPT } = options;
  return onThisMachine(options, terminal, (world) =>
    reportOn(
      options,
      world,
      async () => {
        if (options.keep !== undefined && !prune) throw keepsNothing();
        const chosen = await chooseHosts(names, options, world);
        const jobs = await prepareBareJobs(chosen.hosts, chosen.directory, world.ports);
        const always = `all but ${keep} go for good: no rollback reaches further back`;
        const needsConfirmation = prune ? (chosen.needsConfirmation ?? always) : undefined;
        const asking = { ...chosen, needsConfirmation };
        const conduct = conductOf(asking, "Remove backups of", options, world.ports);
        await conduct.consent?.([]);
        return visitHosts(
          jobs,
          {
            purpose: { kind: "push" },
            conduct,
            visit: (job, run) => visitBackups(job, run, prune ? keep : undefined),
          },
          { ...options, dryRun: true },
          world,
        );
      },
      renderBackups,
    ),
  );
}

// The newest one of credentials stays, so that a rollback still has something to go back to.
const KEPT = 1;

function keepsNothing(): SyncCredsError {
  return new SyncCredsError("USAGE", "`--keep` says how many backups `--prune` leaves", {
    next: ["Add `--prune`, or leave `--keep` out"],
  });
}
