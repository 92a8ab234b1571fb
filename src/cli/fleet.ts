import { dirname } from "node:path";
import { toSyncCredsError } from "../errors.ts";
import { loadHosts } from "../hosts/load.ts";
import { selectHosts } from "../hosts/select.ts";
import type { Selection } from "../hosts/select.ts";
import { nodePorts } from "../node-ports.ts";
import { exitStatusOf } from "../outcome.ts";
import type { HostResult } from "../outcome.ts";
import { renderError } from "../output/error-message.ts";
import { renderJsonResult, renderReport } from "../output/report.ts";
import { paintFor } from "../output/terminal.ts";
import type { Paint, Terminal } from "../output/terminal.ts";
import type { View } from "../output/view.ts";
import type { Ports } from "../ports.ts";
import type { Job } from "../visit.ts";
import { verifyCanary } from "./conduct.ts";
import type { ConductOptions } from "./conduct.ts";
import { goThrough } from "./fleet-run.ts";
import type { FleetRun } from "./fleet-run.ts";
import { listenForInterrupts } from "./interrupts.ts";
import { openHuman } from "./prompts.ts";
import { namesOrChoice } from "./questions.ts";
import { openView } from "./view.ts";

/** The options of every command that goes to hosts, as the command line names them. */
export interface FleetOptions extends ConductOptions {
  readonly config?: string;
  readonly exclude?: string[];
  readonly limit?: string[];
  /** Seconds to wait for another run on a host to end. */
  readonly wait?: number;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  /** False with `--no-input`. */
  readonly input?: boolean;
}

/** What such a command acts in: the real machine and terminal, or those of the demo and of tests. */
export interface World {
  readonly ports: Ports;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
  /** Told the view of the run, so that questions can stop its drawing. */
  readonly onView?: (view: View) => void;
  /** Told that no host waits for an answer any more. */
  readonly onOver?: () => void;
}

/** The hosts that were named, and where hosts.json stands. */
export interface Chosen extends Selection {
  /** Folder of hosts.json: relative paths in it start there. */
  readonly directory: string;
}

/** Runs a command on this machine, with whoever sits at its terminal. */
export async function onThisMachine<T>(
  options: FleetOptions,
  terminal: Terminal,
  command: (world: World) => Promise<T>,
): Promise<T> {
  using interrupts = listenForInterrupts(terminal);
  let view: View | undefined;
  const stage = { clear: () => view?.pause(), restore: async () => view?.resume() };
  const mayAsk =
    options.input !== false &&
    options.json !== true &&
    process.stdin.isTTY &&
    terminal.stderr.isTTY === true;
  const over = new AbortController();
  const human = mayAsk
    ? openHuman(terminal.stderr, stage, {
        signal: AbortSignal.any([interrupts.signal, over.signal]),
        onInterrupt: interrupts.interrupt,
      })
    : undefined;
  return await command({
    ports: nodePorts({ human }),
    terminal,
    signal: interrupts.signal,
    onView: (opened) => (view = opened),
    onOver: () => over.abort(),
  });
}

type Render = (results: readonly HostResult[], now: number, paint: Paint) => string;

/** Does the work and reports how each host ended, or why none was gone to; resolves with the exit status. Never rejects. */
export async function reportOn(
  options: FleetOptions,
  { terminal, ports }: World,
  work: () => Promise<HostResult[]>,
  render: Render = (results, now, paint) =>
    renderReport(results, now, paint, { all: options.verbose }),
): Promise<number> {
  try {
    const results = await work();
    const counted =
      options.unreachable === "skip"
        ? results.filter(({ outcome }) => outcome !== "unreachable")
        : results;
    const exitCode = exitStatusOf(counted);
    terminal.stdout.write(
      options.json === true
        ? renderJsonResult(exitCode, results)
        : render(results, ports.now(), paintFor(terminal.stdout, terminal.env)),
    );
    return exitCode;
  } catch (thrown) {
    const error = toSyncCredsError(thrown);
    const verbose = options.verbose === true || error.code === "BUG";
    if (options.json === true) terminal.stdout.write(renderJsonResult(error.exitStatus, [], error));
    terminal.stderr.write(renderError(error, paintFor(terminal.stderr, terminal.env), verbose));
    return error.exitStatus;
  }
}

/** Reads hosts.json and finds the hosts that are named, or picked. Errors: those of both, `USAGE` for a stray canary. */
export async function chooseHosts(
  names: readonly string[],
  options: FleetOptions,
  { ports }: Pick<World, "ports">,
): Promise<Chosen> {
  const file = await loadHosts(ports, options.config);
  const selection = selectHosts(file, await namesOrChoice(names, file, ports), {
    ...(options.exclude === undefined ? {} : { exclude: options.exclude }),
    ...(options.limit === undefined ? {} : { limit: options.limit }),
  });
  // Before `--resume` leaves any out: the canary may be verified already.
  verifyCanary(selection, options);
  return { ...selection, directory: dirname(file.path) };
}

/** Goes to all hosts and shows how it goes; what was changed is noted in the ledger. */
export async function visitHosts(
  jobs: readonly Job[],
  run: FleetRun,
  options: FleetOptions,
  { ports, terminal, signal, onView, onOver }: World,
): Promise<HostResult[]> {
  const view = await openView(
    jobs.map(({ host }) => host),
    options,
    terminal,
  );
  onView?.(view);
  try {
    return await goThrough(jobs, run, options, {
      ports,
      signal,
      emit: (event) => view.show(event),
    });
  } finally {
    onOver?.();
    await view.close();
  }
}
