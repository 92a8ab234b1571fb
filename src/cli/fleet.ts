import { hostname } from "node:os";
import { dirname } from "node:path";
import { connect } from "../connect/connect.ts";
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
import { syncHost } from "../pipeline.ts";
import type { Ports } from "../ports.ts";
import type { Purpose } from "../purpose.ts";
import { loadScript } from "../remote/script.ts";
import type { Conduct } from "../rollout/conductor.ts";
import { rollOut } from "../rollout/rollout.ts";
import type { VisitOne } from "../rollout/rollout.ts";
import type { Job } from "../visit.ts";
import type { ConductOptions } from "./conduct.ts";
import { openLedger } from "./fleet-ledger.ts";
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

/** Reads hosts.json and finds the hosts that are named, or picked. */
export async function chooseHosts(
  names: readonly string[],
  options: FleetOptions,
  { ports }: World,
): Promise<Chosen> {
  const file = await loadHosts(ports, options.config);
  const selection = selectHosts(file, await namesOrChoice(names, file, ports), {
    ...(options.exclude === undefined ? {} : { exclude: options.exclude }),
    ...(options.limit === undefined ? {} : { limit: options.limit }),
  });
  return { ...selection, directory: dirname(file.path) };
}

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

/** Goes to all hosts and shows how it goes; what was changed is noted in the ledger. */
export async function visitHosts(
  jobs: readonly Job[],
  { purpose, force = false, clearShadows = false, notes = [], conduct, visit = syncHost }: FleetRun,
  options: FleetOptions,
  { ports, terminal, signal, onView, onOver }: World,
): Promise<HostResult[]> {
  const hosts = jobs.map(({ host }) => host);
  const dryRun = options.dryRun === true;
  const view = await openView(hosts, options, terminal);
  onView?.(view);
  const note = (text: string, host?: string) => {
    view.show({ type: "note", text, at: ports.now(), ...(host === undefined ? {} : { host }) });
  };
  const who = `${ports.userName}@${hostname()}`.replace(/[^\w.@-]/g, "_");
  const ledger = dryRun ? undefined : openLedger(ports, { purpose, who }, note);
  try {
    if (options.quiet !== true) for (const text of notes) note(text);
    return await rollOut(
      jobs,
      {
        ports,
        connect: (host, abort) =>
          connect(host, ports, {
            turn: `${hosts.findIndex(({ name }) => name === host.name) + 1}/${hosts.length}`,
            signal: abort,
            notes: (line) => note(line, host.name),
          }),
        script: await loadScript(ports.files),
        who,
        purpose,
        dryRun,
        force,
        clearShadows,
        waitMs: (options.wait ?? 0) * 1000,
        signal,
        emit: (event) => view.show(event),
      },
      conduct,
      async (job, run) => {
        const result = await visit(job, run);
        await ledger?.(job, result);
        return result;
      },
    );
  } finally {
    onOver?.();
    await view.close();
  }
}
