/**
 * The same engine for programs: `import { push } from "sync-creds"`. Nothing is asked, drawn or written to a terminal, and no
 * signal of the process is listened to. What ends a run before any host is gone to rejects with a `SyncCredsError`; what
 * happens on a host is in its result.
 */
import { goThrough } from "./cli/fleet-run.ts";
import type { Visiting } from "./cli/fleet-run.ts";
import { pushAll } from "./cli/push.ts";
import { rollBackAll } from "./cli/rollback.ts";
import { loadHosts as loadHostsWith } from "./hosts/load.ts";
import type { HostsFile } from "./hosts/parse.ts";
import { nodePorts } from "./node-ports.ts";
import { exitStatusOf } from "./outcome.ts";
import type { HostResult, RunEvent } from "./outcome.ts";
import type { Ports } from "./ports.ts";
import { readLedger } from "./rollout/ledger.ts";
import type { Ledger } from "./rollout/ledger.ts";

export { SyncCredsError } from "./errors.ts";
export type { Host } from "./hosts/host.ts";
export type { BackupSummary, Outcome, Step } from "./outcome.ts";
export type { Entry } from "./rollout/ledger.ts";
export { nodePorts, type HostResult, type HostsFile, type Ledger, type Ports, type RunEvent };

/** What every run over hosts takes; each as the option of the command line with that name. */
export interface RunOptions {
  /** Path of hosts.json; found as the command line finds it unless told. */
  readonly config?: string;
  /** The machine it runs on: `nodePorts()` unless told, without anybody to ask. */
  readonly ports?: Ports;
  /** Aborted, it has the effect of Ctrl-C: hosts under change are put back. */
  readonly signal?: AbortSignal;
  /** Told what happens while it goes on; the same as the lines of `--json`. It must not throw. */
  readonly onEvent?: (event: RunEvent) => void;
  readonly exclude?: readonly string[];
  readonly limit?: readonly string[];
  /** Hosts at a time; 32 unless told. */
  readonly concurrency?: number;
  /** Looks at everything, changes nothing. */
  readonly dryRun?: boolean;
  /** Yes to what the command line would ask, such as for the target `all`. */
  readonly yes?: boolean;
  readonly canary?: string;
  /** Such as `1,25%,100%`. */
  readonly waves?: string;
  /** A number, or a percentage such as `10%`. */
  readonly maxFailures?: number | `${number}%`;
  /** Hosts out of reach are failures, or left out of the exit code. */
  readonly unreachable?: "fail" | "skip";
  readonly atomic?: boolean;
  /** Seconds to wait for another run on a host to end. */
  readonly wait?: number;
  /** Overwrites a login that is the host's own, or restores a dead one. */
  readonly force?: boolean;
}

/** What `push` takes besides. */
export interface PushOptions extends RunOptions {
  readonly clearShadows?: boolean;
  readonly allowShortTtl?: boolean;
  /** Only hosts that are not known as verified with this login. */
  readonly resume?: boolean;
  /** Whether the installed Claude Code may renew a login that is due; `never` unless told. */
  readonly refresh?: "auto" | "never";
}

/** What `rollback` takes besides. */
export interface RollbackOptions extends RunOptions {
  /** The beginning of a backup's id. */
  readonly to?: string;
}

/** How a run ended. */
export interface RunResult {
  /** What the command line would have ended with: 0 when every host is verified or unchanged. */
  readonly exitCode: number;
  /** One for each host, in the order of hosts.json. */
  readonly hosts: readonly HostResult[];
}

/**
 * Pushes the credentials of this machine to hosts, restarts, verifies, or puts everything back: `sync-creds push`. Targets are
 * hosts, groups, `tag:NAME`, patterns, or `all`. Rejects with a `SyncCredsError` for hosts.json, the targets and the local
 * credentials.
 */
export function push(targets: readonly string[], options: PushOptions = {}): Promise<RunResult> {
  const world = worldOf(options);
  return end(pushAll(targets, { refresh: "never", ...toCommandLine(options) }, world), options);
}

/** What `push` would do, and why not: `sync-creds plan`. Changes nothing on a host. */
export function plan(targets: readonly string[], options: PushOptions = {}): Promise<RunResult> {
  return push(targets, { ...options, dryRun: true });
}

/** Puts hosts back as they were before their last change, or before an older one: `sync-creds rollback`. */
export function rollback(
  targets: readonly string[],
  options: RollbackOptions = {},
): Promise<RunResult> {
  const { ports, visit } = worldOf(options);
  return end(rollBackAll(targets, toCommandLine(options), ports, visit), options);
}

/** Finds, checks and reads hosts.json. Rejects with a `SyncCredsError` of a `CONFIG_…` code. */
export function loadHosts(
  options: { readonly config?: string; readonly ports?: Ports } = {},
): Promise<HostsFile> {
  return loadHostsWith(options.ports ?? nodePorts(), options.config);
}

/** What this machine has done to hosts, oldest first, and which lines of that ledger are damaged. */
export function history(options: { readonly ports?: Ports } = {}): Promise<Ledger> {
  return readLedger(options.ports ?? nodePorts());
}

function worldOf(options: RunOptions) {
  const { ports = nodePorts(), signal = new AbortController().signal } = options;
  const emit = options.onEvent ?? (() => {});
  const tell = (text: string) => emit({ type: "note", text, at: ports.now() });
  const visit: Visiting = (jobs, run) => goThrough(jobs, run, options, { ports, signal, emit });
  return { ports, signal, tell, visit };
}

/** What is a list or a number here, and words there. */
function toCommandLine<T extends RunOptions>({ exclude, limit, maxFailures, ...rest }: T) {
  return {
    ...rest,
    ...(exclude !== undefined && { exclude: [...exclude] }),
    ...(limit !== undefined && { limit: [...limit] }),
    ...(maxFailures !== undefined && { maxFailures: String(maxFailures) }),
  };
}

async function end(run: Promise<HostResult[]>, { unreachable }: RunOptions): Promise<RunResult> {
  const hosts = await run;
  const counted =
    unreachable === "skip" ? hosts.filter(({ outcome }) => outcome !== "unreachable") : hosts;
  return { exitCode: exitStatusOf(counted), hosts };
}
