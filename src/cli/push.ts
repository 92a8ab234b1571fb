import { hostname } from "node:os";
import { dirname } from "node:path";
import { connect } from "../connect/connect.ts";
import { SyncCredsError, toSyncCredsError } from "../errors.ts";
import type { Delivery, Host } from "../hosts/host.ts";
import { loadHosts } from "../hosts/load.ts";
import type { HostsFile } from "../hosts/parse.ts";
import { resolveSecret } from "../hosts/secret-reference.ts";
import { selectHosts } from "../hosts/select.ts";
import { locateCredentials } from "../locate/locate.ts";
import { nodePorts } from "../node-ports.ts";
import { exitStatusOf } from "../outcome.ts";
import type { HostResult } from "../outcome.ts";
import { renderError } from "../output/error-message.ts";
import { openJsonLines, openPlainLines } from "../output/plain-lines.ts";
import { renderJsonResult, renderReport } from "../output/report.ts";
import { drawableStream, paintFor } from "../output/terminal.ts";
import type { Terminal } from "../output/terminal.ts";
import { renderInstant } from "../output/time.ts";
import type { View } from "../output/view.ts";
import type { Job } from "../pipeline.ts";
import type { Offer } from "../plan/plan.ts";
import type { Ports } from "../ports.ts";
import { openNodeSshSession } from "../remote/node-ssh-session.ts";
import { loadScript } from "../remote/script.ts";
import { fingerprintsWrittenTo, readLedger, recordInLedger } from "../rollout/ledger.ts";
import { rollOut, verifyOneHolder } from "../rollout/rollout.ts";
import { projectLogin } from "../validate/project.ts";
import { verifyLogin } from "../validate/validate.ts";
import { listenForInterrupts } from "./interrupts.ts";
import { openHuman } from "./prompts.ts";

/** The options of `push` and `plan`, as the command line names them. */
export interface PushOptions {
  readonly config?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly force?: boolean;
  readonly allowShortTtl?: boolean;
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
  const human = mayAsk ? openHuman(terminal.stderr, stage) : undefined;
  return await runPush(names, options, {
    ports: nodePorts({ human }),
    terminal,
    signal: interrupts.signal,
    onView: (opened) => (view = opened),
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
  const notes: string[] = [];
  const { jobs, origin } = await prepareJobs(hosts, file, options, ports, notes);
  if (!dryRun && needsConfirmation !== undefined) {
    await verifyConsent(needsConfirmation, jobs, options, ports);
  }

  const view = await openView(hosts, options, terminal);
  world.onView?.(view);
  const note = (text: string, host?: string) => {
    view.show({ type: "note", text, at: ports.now(), ...(host === undefined ? {} : { host }) });
  };
  try {
    if (options.quiet !== true) for (const text of [origin, ...notes]) note(text);
    const results = await rollOut(
      jobs,
      {
        ports,
        connect: (host, abort) =>
          connect(host, ports, {
            open: openNodeSshSession,
            signal: abort,
            notes: (line) => note(line, host.name),
          }),
        script: await loadScript(ports.files),
        who: `${ports.userName}@${hostname()}`.replace(/[^\w.@-]/g, "_"),
        dryRun,
        force: options.force === true,
        signal,
        emit: (event) => view.show(event),
      },
      options.concurrency ?? 10,
    );
    if (!dryRun) await record(jobs, results, ports, note);
    return results;
  } finally {
    await view.close();
  }
}

async function namesOrChoice(
  names: readonly string[],
  file: HostsFile,
  { human }: Ports,
): Promise<readonly string[]> {
  if (names.length > 0) return names;
  if (human === undefined) {
    throw new SyncCredsError("INPUT_NEEDED", "no target is named", {
      why: "without a terminal nobody can be asked",
      next: ["Name a host, a group, `tag:NAME`, a pattern or `all`: `sync-creds push prod`"],
    });
  }
  return human.choose(
    "Push to which hosts?",
    file.hosts.map(({ name, ssh, delivery }) => ({
      value: name,
      name: `${name}  ${ssh.user === undefined ? "" : `${ssh.user}@`}${ssh.host}  ${delivery}`,
    })),
  );
}

/** Everything that is settled on this laptop, before the first connection: credentials, bearers, who may have what. */
async function prepareJobs(
  hosts: readonly Host[],
  file: HostsFile,
  options: PushOptions,
  ports: Ports,
  notes: string[],
): Promise<{ jobs: Job[]; origin: string }> {
  const located = await locateCredentials(ports);
  notes.push(...located.notes);
  const offers = new Map<Delivery, Offer>();
  for (const delivery of new Set(hosts.map((host) => host.delivery))) {
    const { login, notes: remarks } = verifyLogin(located.credentials, delivery, ports.now(), {
      allowShortTtl: options.allowShortTtl === true,
    });
    notes.push(...remarks);
    offers.set(delivery, projectLogin(login, delivery));
  }
  const ledger = await readLedger(ports);
  const bearers = new Map<string, ReturnType<typeof resolveSecret>>();
  const jobs = await Promise.all(
    hosts.map(async (host): Promise<Job> => {
      const { bearer: reference } = host.wrapper;
      const key = JSON.stringify(reference);
      if (reference !== undefined && !bearers.has(key)) {
        bearers.set(key, resolveSecret(reference, ports, dirname(file.path)));
      }
      const offer = offers.get(host.delivery);
      if (offer === undefined) throw new Error(`no offer for ${host.delivery}`);
      const lastWritten = fingerprintsWrittenTo(host.name, ledger);
      return { host, offer, bearer: await bearers.get(key), lastWritten };
    }),
  );
  verifyOneHolder(jobs, ledger);
  const [offer] = offers.values();
  const until =
    offer?.validUntil === undefined
      ? ""
      : `, valid until ${renderInstant(offer.validUntil, ports.now())}`;
  return { jobs, origin: `credentials ${offer?.fingerprint ?? ""} from ${located.label}${until}` };
}

async function verifyConsent(
  reason: string,
  jobs: readonly Job[],
  { yes }: PushOptions,
  { human }: Ports,
): Promise<void> {
  if (yes === true) return;
  const names = jobs.map(({ host }) => host.name).join(", ");
  if (human === undefined) {
    throw new SyncCredsError("INPUT_NEEDED", `a push to ${names} must be confirmed`, {
      why: reason,
      next: ["Add `--yes` if you mean it"],
    });
  }
  if (await human.confirm(`Push ${jobs[0]?.offer.fingerprint ?? ""} to ${names}?`, [reason]))
    return;
  throw new SyncCredsError("INTERRUPTED", "not confirmed: nothing was changed", {
    next: ["Name fewer hosts, or see what would change: `sync-creds plan`"],
  });
}

async function openView(
  hosts: readonly Host[],
  options: PushOptions,
  terminal: Terminal,
): Promise<View> {
  if (options.json === true) return openJsonLines(terminal.stdout);
  const stream = drawableStream(terminal);
  if (options.quiet === true || stream === undefined) {
    return openPlainLines(terminal.stderr, options.quiet === true);
  }
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
