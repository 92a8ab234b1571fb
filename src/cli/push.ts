import type { HostResult } from "../outcome.ts";
import type { Terminal } from "../output/terminal.ts";
import { conductOf } from "./conduct.ts";
import { chooseHosts, onThisMachine, reportOn, visitHosts } from "./fleet.ts";
import type { FleetOptions, World } from "./fleet.ts";
import { prepareJobs } from "./prepare.ts";
import { verifySharing } from "./questions.ts";
import { refreshModeOf } from "./renewal.ts";
import type { RefreshOptions } from "./renewal.ts";

/** The options of `push` and `plan`, as the command line names them. */
export interface PushOptions extends FleetOptions, RefreshOptions {
  readonly force?: boolean;
  readonly allowShortTtl?: boolean;
  readonly clearShadows?: boolean;
  readonly shareRefreshToken?: boolean;
  /** Only hosts that the ledger does not know as verified with what would be pushed. */
  readonly resume?: boolean;
}

/** `push` and `plan` on this machine; resolves with the exit status. */
export function push(
  names: readonly string[],
  options: PushOptions,
  terminal: Terminal,
): Promise<number> {
  return onThisMachine(options, terminal, (world) => runPush(names, options, world));
}

/** The whole of a push: what happens here first, then all hosts, then the report. Never rejects. */
export function runPush(
  names: readonly string[],
  options: PushOptions,
  world: World,
): Promise<number> {
  return reportOn(options, world, () => pushAll(names, options, world));
}

async function pushAll(
  names: readonly string[],
  options: PushOptions,
  world: World,
): Promise<HostResult[]> {
  const { ports, terminal, signal } = world;
  const chosen = await chooseHosts(names, options, world);
  const { jobs, notes, sharing } = await prepareJobs(
    chosen.hosts,
    {
      directory: chosen.directory,
      allowShortTtl: options.allowShortTtl === true,
      shareRefreshToken: options.shareRefreshToken === true,
      resume: options.resume === true,
      refresh: refreshModeOf(options, ports),
      signal,
      tell: (text) => {
        if (options.quiet !== true) terminal.stderr.write(`${text}\n`);
      },
    },
    ports,
  );
  if (options.dryRun !== true) await verifySharing(sharing, ports);
  const hosts = jobs.map(({ host }) => host);
  const what = `Push ${jobs[0]?.offer.fingerprint ?? ""} to`;
  const conduct = conductOf({ ...chosen, hosts }, what, options, ports);
  const { force, clearShadows } = options;
  const purpose = { kind: "push" } as const;
  return visitHosts(jobs, { purpose, force, clearShadows, notes, conduct }, options, world);
}
