import { hostname } from "node:os";
import { dirname } from "node:path";
import { connect } from "../connect/connect.ts";
import { toSyncCredsError } from "../errors.ts";
import type { Host } from "../hosts/host.ts";
import { loadHosts } from "../hosts/load.ts";
import { selectHosts } from "../hosts/select.ts";
import { nodePorts } from "../node-ports.ts";
import { exitStatusOf } from "../outcome.ts";
import type { HostResult } from "../outcome.ts";
import { renderError } from "../output/error-message.ts";
import { openJsonLines, openPlainLines } from "../output/plain-lines.ts";
import { renderJsonResult, renderReport } from "../output/report.ts";
import { drawableStream, paintFor } from "../output/terminal.ts";
import type { Terminal } from "../output/terminal.ts";
import type { View } from "../output/view.ts";
import type { Job } from "../visit.ts";
import type { Ports } from "../ports.ts";
import { loadScript } from "../remote/script.ts";
import { recordInLedger } from "../rollout/ledger.ts";
import { rollOut } from "../rollout/rollout.ts";
import { listenForInterrupts } from "./interrupts.ts";
import { prepareJobs } from "./prepare.ts";
import { openHuman } from "./prompts.ts";
import { namesOrChoice, verifyConsent, verifySharing } from "./questions.ts";
import { refreshModeOf } from "./renewal.ts";
import type { RefreshOptions } from "./renewal.ts";

/** The options of `push` and `plan`, as the command line names them. */
export interface PushOptions extends RefreshOptions {
  readonly config?: string;
  readonly force?: boolean;
  readonly allowShortTtl?: boolean;
  readonly clearShadows?: boolean;
  readonly shareRefreshToken?: boolean;
  readonly exclude?: string[];
  readonly limit?: string[];
  readonly concurrency?: number;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  /** False with `--no-input`. */
  readonly input?: boolean;
}

/** What a push acts in: the real machine and terminal, or those of the demo and of tests. */
export interface World {
  readonly ports: Ports;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
  /** Told the view of the run, so that questions can stop its drawing. */
  readonly onView?: (view: View) => void;
  /** Told that no host waits for an answer any more. */
  readonly onOver?: () => void;
}

/** `push` and `plan` on this machine; resolves with the exit status. */
export async function push(
  names: readonly string[],
  options: PushOptions,
  terminal: Terminal,
): Promise<number> {
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
  return await runPush(names, options, {
    ports: nodePorts({ human }),
    terminal,
    signal: interrupts.signal,
    onView: (opened) => (view = opened),
    onOver: () => over.abort(),
  });
}

/** The whole of a push: what happens here first, then all hosts, then the report. Never rejects. */
export async function runPush(
  names: readonly string[],
  options: PushOptions,
  world: World,
): Promise<number> {
  const { terminal, ports } = world;
  try {
    const results = await pushAll(names, options, world);
    const exitCode = exitStatusOf(results);
    terminal.stdout.write(
      options.json === true
        ? renderJsonResult(exitCode, results)
        : renderReport(results, ports.now(), paintFor(terminal.stdout, terminal.env)),
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

async function pushAll(
  names: readonly string[],
  options: PushOptions,
  world: World,
): Promise<HostResult[]> {
  const { ports, terminal, signal } = world;
  const file = await loadHosts(ports, options.config);
  const { hosts, needsConfirmation } = selectHosts(file, await namesOrChoice(names, file, ports), {
    ...(options.exclude === undefined ? {} : { exclude: options.exclude }),
    ...(options.limit === undefined ? {} : { limit: options.limit }),
  });
  const dryRun = options.dryRun === true;
  const { jobs, notes, sharing } = await prepareJobs(
    hosts,
    {
      directory: dirname(file.path),
      allowShortTtl: options.allowShortTtl === true,
      shareRefreshToken: options.shareRefreshToken === true,
      refresh: refreshModeOf(options, ports),
      signal,
      tell: (text) => {
        if (options.quiet !== true) terminal.stderr.write(`${text}\n`);
      },
    },
    ports,
  );
  if (!dryRun) await verifySharing(sharing, ports);
  if (!dryRun && options.yes !== true && needsConfirmation !== undefined) {
    await verifyConsent(needsConfirmation, jobs, ports);
  }

  const view = await openView(hosts, options, terminal);
  world.onView?.(view);
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
            turn: `${hosts.indexOf(host) + 1}/${hosts.length}`,
            signal: abort,
            notes: (line) => note(line, host.name),
          }),
        script: await loadScript(ports.files),
        who: `${ports.userName}@${hostname()}`.replace(/[^\w.@-]/g, "_"),
        dryRun,
        force: options.force === true,
        clearShadows: options.clearShadows === true,
        signal,
        emit: (event) => view.show(event),
      },
      options.concurrency ?? 10,
    );
    if (!dryRun) await record(jobs, results, ports, note);
    return results;
  } finally {
    world.onOver?.();
    await view.close();
  }
}

async function openView(
  hosts: readonly Host[],
  options: PushOptions,
  terminal: Terminal,
): Promise<View> {
  if (options.json === true) return openJsonLines(terminal.stdout);
  const detail = options.quiet === true ? "quiet" : options.verbose === true ? "verbose" : "usual";
  const stream = drawableStream(terminal);
  if (detail !== "usual" || stream === undefined) return openPlainLines(terminal.stderr, detail);
  const { openTaskList } = await import("../output/task-list.ts");
  return openTaskList(
    hosts.map((host) => host.name),
    stream,
  );
}

/** The ledger serves the chain guard of later runs; without it a push is as good, so its loss is told, not fatal. */
async function record(
  jobs: readonly Job[],
  results: readonly HostResult[],
  ports: Ports,
  note: (text: string) => void,
): Promise<void> {
  const written = results.filter(({ outcome }) => ["verified", "unverified"].includes(outcome));
  try {
    for (const result of written) {
      const job = jobs.find(({ host }) => host.name === result.host);
      if (job !== undefined) await recordInLedger(ports, job.offer, result);
    }
  } catch {
    note("the ledger could not be written; the next push knows less of what is on these hosts");
  }
}
