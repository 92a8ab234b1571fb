import type { HostResult } from "../outcome.ts";
import { renderHostProblem } from "../output/error-message.ts";
import type { Paint, Terminal } from "../output/terminal.ts";
import { visitUnlock } from "../unlock.ts";
import { conductOf } from "./conduct.ts";
import { chooseHosts, onThisMachine, reportOn, visitHosts } from "./fleet.ts";
import type { FleetOptions } from "./fleet.ts";
import { prepareBareJobs } from "./prepare.ts";

/** `unlock` on this machine; resolves with the exit status. Never rejects. */
export function unlock(
  names: readonly string[],
  options: FleetOptions,
  terminal: Terminal,
): Promise<number> {
  return onThisMachine(options, terminal, (world) =>
    reportOn(
      options,
      world,
      async () => {
        const { human } = world.ports;
        const chosen = await chooseHosts(names, options, world);
        const jobs = await prepareBareJobs(chosen.hosts, chosen.directory, world.ports);
        const conduct = conductOf(chosen, "End the runs on", options, world.ports);
        return visitHosts(
          jobs,
          {
            purpose: { kind: "push" },
            conduct,
            visit: (job, run) =>
              visitUnlock(job, run, ({ name }, holder) =>
                options.yes === true
                  ? Promise.resolve(true)
                  : human?.confirm(`End the run of ${holder} on ${name}?`, EXPLAINED),
              ),
          },
          { ...options, dryRun: true },
          world,
        );
      },
      renderUnlocked,
    ),
  );
}

const EXPLAINED = [
  "What it has changed is undone: by the host itself, or by the next push. A run that only takes its time is better waited for.",
];

function renderUnlocked(results: readonly HostResult[], _now: number, paint: Paint): string {
  return results
    .map((result) =>
      result.outcome === "unchanged"
        ? `${result.host}: ${result.state ?? result.outcome}\n`
        : renderHostProblem(result, paint),
    )
    .join("");
}
