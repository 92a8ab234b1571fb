import { hostname } from "node:os";
import { dirname } from "node:path";
import { connect } from "../connect/connect.ts";
import { askAhead } from "../connect/ssh-config.ts";
import { exitStatusOfDiagnosis, firstSteps } from "../diagnosis.ts";
import { examineHost } from "../doctor/host.ts";
import type { ExaminedHost } from "../doctor/host.ts";
import { examineLaptop } from "../doctor/laptop.ts";
import type { Laptop } from "../doctor/laptop.ts";
import { SyncCredsError, toSyncCredsError } from "../errors.ts";
import type { Host } from "../hosts/host.ts";
import { loadHosts } from "../hosts/load.ts";
import type { HostsFile } from "../hosts/parse.ts";
import { selectHosts } from "../hosts/select.ts";
import { renderDiagnosis, renderTerms } from "../output/doctor-report.ts";
import { openJsonLines, openPlainLines } from "../output/plain-lines.ts";
import { paintFor } from "../output/terminal.ts";
import type { Terminal } from "../output/terminal.ts";
import type { View } from "../output/view.ts";
import type { Ports } from "../ports.ts";
import { loadScript } from "../remote/script.ts";
import { fingerprintsWrittenTo } from "../rollout/ledger.ts";
import type { Secret } from "../secret.ts";
import { AT_ONCE } from "../turns.ts";
import type { Run } from "../visit.ts";
import { verifyNew, writeBundle } from "./doctor-bundle.ts";
import { renderHostsResult } from "./hosts-output.ts";
import { listenForInterrupts } from "./interrupts.ts";
import type { LocalOptions, LocalWorld } from "./local-command.ts";
import { openSecrets } from "./offers.ts";

/** The options of `doctor`. */
export interface DoctorOptions extends LocalOptions {
  readonly config?: string;
  /** Receives a report for an issue tracker. */
  readonly bundle?: string;
  readonly askClaude?: boolean;
}

/**
 * `doctor`: the four causes, here and on each target, and what to do first. Changes nothing anywhere but the bundle.
 * Errors: those of hosts.json and of the targets, `USAGE` for a bundle that exists, `INTERRUPTED`.
 */
export async function doctor(
  names: readonly string[],
  options: DoctorOptions,
  { ports, terminal }: LocalWorld,
): Promise<number> {
  using interrupts = listenForInterrupts(terminal, "nothing was changed anywhere");
  if (options.bundle !== undefined) await verifyNew(options.bundle, ports);
  const { file, hosts } = await findPatients(names, options, ports);
  const view =
    options.json === true
      ? openJsonLines(terminal.stdout)
      : openPlainLines(terminal.stderr, options.verbose === true ? "verbose" : "usual");
  const laptop = await examineLaptop(ports, {
    isLoginNeeded:
      hosts.length === 0 ||
      hosts.some(({ delivery }) => delivery === "access-token" || delivery === "full-login"),
    unvisited: hosts.length === 0 ? (file?.hosts ?? []) : [],
    signal: interrupts.signal,
    tell: (text) => view.show({ type: "note", text, at: ports.now() }),
  });
  const { examined, bearers } = await examineAll(
    hosts,
    { laptop, file, options, view, signal: interrupts.signal },
    ports,
  );
  show([laptop, ...examined], options, terminal);
  if (options.bundle !== undefined) {
    await writeBundle(options.bundle, { laptop, examined, hosts, bearers }, ports);
    terminal.stderr.write(
      `${options.bundle}: a report without secrets and addresses; read it before you post it\n`,
    );
  }
  return exitStatusOfDiagnosis([laptop, ...examined]);
}

/** The targets; without any, on a terminal, those picked; else none, and this laptop alone is examined. */
async function findPatients(
  names: readonly string[],
  { config }: DoctorOptions,
  ports: Ports,
): Promise<{ file: HostsFile | undefined; hosts: readonly Host[] }> {
  if (names.length > 0) {
    const file = await loadHosts(ports, config);
    return { file, hosts: selectHosts(file, names).hosts };
  }
  const file = await loadHosts(ports, config).catch((thrown: unknown) => {
    const isMissing = thrown instanceof SyncCredsError && thrown.code === "CONFIG_NOT_FOUND";
    if (isMissing && config === undefined) return undefined;
    throw thrown;
  });
  if (file === undefined || ports.human === undefined) return { file, hosts: [] };
  const picked = await ports.human.choose("Look at which places?", [
    { value: "", name: "this laptop only" },
    ...file.hosts.map(({ name, ssh }) => ({ value: name, name: `${name}  ${ssh.host}` })),
  ]);
  return { file, hosts: file.hosts.filter(({ name }) => picked.includes(name)) };
}

interface Round {
  readonly laptop: Laptop;
  readonly file: HostsFile | undefined;
  readonly options: DoctorOptions;
  readonly view: View;
  readonly signal: AbortSignal;
}

async function examineAll(
  hosts: readonly Host[],
  { laptop, file, options, view, signal }: Round,
  ports: Ports,
): Promise<{ examined: ExaminedHost[]; bearers: Secret[] }> {
  const examined: ExaminedHost[] = [];
  const bearers: Secret[] = [];
  if (hosts.length === 0) return { examined, bearers };
  askAhead(hosts, ports);
  const fetch = openSecrets(dirname(file?.path ?? ""), ports);
  const run: Run = {
    ports,
    connect: (host, abort) =>
      connect(host, ports, {
        turn: `${hosts.indexOf(host) + 1}/${hosts.length}`,
        signal: abort,
        notes: (text) => view.show({ type: "note", host: host.name, text, at: ports.now() }),
      }),
    script: await loadScript(ports.files, { inspects: true }),
    who: `${ports.userName}@${hostname()}`.replace(/[^\w.@-]/g, "_"),
    purpose: { kind: "push" },
    turns: AT_ONCE,
    waitMs: 0,
    dryRun: true,
    force: false,
    clearShadows: false,
    signal,
    emit: (event) => view.show(event),
  };
  const curiosity = { claude: options.askClaude === true, log: options.bundle !== undefined };
  const waiting = hosts.entries();
  const worker = async () => {
    for (const [index, host] of waiting) {
      const lastWritten = fingerprintsWrittenTo(host.name, laptop.ledger);
      const found = await bearerOf(host, fetch);
      if (found.bearer !== undefined) bearers.push(found.bearer);
      const patient = { host, offer: {}, lastWritten, ...found };
      examined[index] = await examineHost(patient, run, laptop, curiosity);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  return { examined, bearers };
}

const AT_A_TIME = 10;

/** What opens the wrapper, or why there is nothing: the host is looked at all the same. */
async function bearerOf(
  { wrapper: { bearer } }: Host,
  fetch: ReturnType<typeof openSecrets>,
): Promise<{ bearer: Secret | undefined; noBearer: SyncCredsError | undefined }> {
  if (bearer === undefined) return { bearer, noBearer: undefined };
  return await fetch(bearer).then(
    ({ secret }) => ({ bearer: secret, noBearer: undefined }),
    (thrown: unknown) => ({ bearer: undefined, noBearer: toSyncCredsError(thrown) }),
  );
}

function show(
  places: readonly (Laptop | ExaminedHost)[],
  { json = false, verbose = false }: DoctorOptions,
  { stdout, stderr, env }: Terminal,
): void {
  const first = firstSteps(places);
  const exitCode = exitStatusOfDiagnosis(places);
  if (json) {
    const [laptop, ...hosts] = places.map(({ place, checks }) => ({ host: place, checks }));
    const rest = { laptop: { checks: laptop?.checks }, first };
    stdout.write(renderHostsResult(exitCode, hosts, rest));
    return;
  }
  const columns = stdout.isTTY === true ? (stdout.columns ?? 80) : undefined;
  stdout.write(renderDiagnosis(places, first, { paint: paintFor(stdout, env), columns, verbose }));
  stderr.write(`\n${renderTerms({ paint: paintFor(stderr, env), columns })}`);
}
