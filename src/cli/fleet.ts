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
import { recordInLedger } from "../rollout/ledger.ts";
import { rollOut } from "../rollout/rollout.ts";
import type { VisitOne } from "../rollout/rollout.ts";
import type { Job } from "../visit.ts";
import { listenForInterrupts } from "./interrupts.ts";
import { openHuman } from "./prompts.ts";
import { namesOrChoice } from "./questions.ts";
import { openView } from "./view.ts";

/** The options of every command that goes to hosts, as the command line names them. */
export interface FleetOptions {
  readonly config?: string;
  readonly exclude?: string[];
  readonly limit?: string[];
  readonly concurrency?: number;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
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

/** Does the work and reports how each host ended, or why none was gone to; resolves with the exit status. Never rejects. */
export async function reportOn(
  options: FleetOptions,
  { terminal, ports }: World,
  work: () => Promise<HostResult[]>,
  render: (results: readonly HostResult[], now: number, paint: Paint) => string = renderReport,
): Promise<number> {
  try {
    const results = await work();
    const exitCode = exitStatusOf(results);
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
  /** What is done on each host, where it is not the purpose's change. */
  readonly visit?: VisitOne;
}

/** Goes to all hosts and shows how it goes; what was changed is noted in the ledger. */
export async function visitHosts(
  jobs: readonly Job[],
  { purpose, force = false, clearShadows = false, notes = [], visit = syncHost }: FleetRun,
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
  try {
    if (options.quiet !== true) for (const text of notes) note(text);
    const results = await rollOut(
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
        who: `${ports.userName}@${hostname()}`.replace(/[^\w.@-]/g, "_"),
        purpose,
        dryRun,
        force,
        clearShadows,
        signal,
        emit: (event) => view.show(event),
      },
      options.concurrency ?? 10,
      visit,
    );
    if (!dryRun) await record(jobs, results, purpose, ports, note);
    return results;
  } finally {
    onOver?.();
    await view.close();
  }
}

/** The ledger serves the chain guard of later runs; without it a run is as good, so its loss is told, not fatal. */
async function record(
  jobs: readonly Job[],
  results: readonly HostResult[],
  purpose: Purpose,
  ports: Ports,
  note: (text: string) => void,
): Promise<void> {
  const written = results.filter(({ outcome }) => ["verified", "unverified"].includes(outcome));
  try {
    for (const result of written) {
      const job = jobs.find(({ host }) => host.name === result.host);
      // A push leaves what it offers; anything else what the host had already.
      if (job !== undefined) {
        await recordInLedger(ports, purpose.kind === "push" ? job.offer : result, result, purpose);
      }
    }
  } catch {
    note("the ledger could not be written; the next push knows less of what is on these hosts");
  }
}
