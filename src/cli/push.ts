import type { HostResult } from "../outcome.ts";
import type { Terminal } from "../output/terminal.ts";
import type { Ports } from "../ports.ts";
import { conductOf, renderOdds } from "./conduct.ts";
import { chooseHosts, onThisMachine, reportOn, visitHosts } from "./fleet.ts";
import type { FleetOptions, World } from "./fleet.ts";
import type { Visiting } from "./fleet-run.ts";
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
  const { ports, signal, terminal } = world;
  const tell = (text: string) => {
    if (options.quiet !== true) terminal.stderr.write(`${text}\n`);
  };
  const visit: Visiting = (jobs, run) => visitHosts(jobs, run, options, world);
  return reportOn(options, world, () => pushAll(names, options, { ports, signal, tell, visit }));
}

/** What a push acts in, with or without a terminal. */
export interface PushWorld {
  readonly ports: Ports;
  readonly signal: AbortSignal;
  /** Told what cannot wait until the hosts are gone to. */
  readonly tell: (text: string) => void;
  readonly visit: Visiting;
}

/** What happens on this laptop, then all hosts. Rejects with a `SyncCredsError` when no host is gone to. */
export async function pushAll(
  names: readonly string[],
  options: PushOptions,
  { ports, signal, tell, visit }: PushWorld,
): Promise<HostResult[]> {
  const chosen = await chooseHosts(names, options, { ports });
  const { jobs, notes, sharing } = await prepareJobs(
    chosen.hosts,
    {
      directory: chosen.directory,
      allowShortTtl: options.allowShortTtl === true,
      shareRefreshToken: options.shareRefreshToken === true,
      resume: options.resume === true,
      refresh: refreshModeOf(options, ports),
      signal,
      tell,
    },
    ports,
  );
  if (options.dryRun !== true) await verifySharing(sharing, ports);
  const hosts = jobs.map(({ host }) => host);
  const what = `Push ${jobs[0]?.offer.fingerprint ?? ""} to`;
  const conduct = conductOf({ ...chosen, hosts }, what, options, ports);
  const { force, clearShadows } = options;
  return visit(jobs, {
    purpose: { kind: "push" },
    force,
    clearShadows,
    notes: [...notes, ...renderOdds(chosen, options)],
    conduct,
  });
}
