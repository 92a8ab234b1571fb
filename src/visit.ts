import * as end from "./endings.ts";
import type { Host } from "./hosts/host.ts";
import type { RunEvent, Step } from "./outcome.ts";
import type { Baseline, Offer } from "./plan/plan.ts";
import type { Deadline } from "./once-per-run.ts";
import type { Ports } from "./ports.ts";
import type { Survey } from "./probe/survey.ts";
import type { Purpose } from "./purpose.ts";
import type { Backup } from "./remote/backups.ts";
import type { ProbeReport } from "./remote/probe-report.ts";
import { withRelay } from "./remote/relay.ts";
import { RemoteHalf } from "./remote/remote-half.ts";
import type { Session } from "./remote/session.ts";
import { askForPassword } from "./remote/sudo.ts";
import type { Secret } from "./secret.ts";
import type { Turns } from "./turns.ts";

/** One host and what this laptop has for it. */
export interface Job {
  readonly host: Host;
  readonly offer: Offer;
  readonly bearer: Secret | undefined;
  /** Fingerprints that this laptop wrote to this host before. */
  readonly lastWritten: readonly string[];
  /** The same host with its own wrapper, where `host` has that of a switch: it tells where Claude's directory is. */
  readonly home?: Host | undefined;
}

/** What all hosts of a run share. */
export interface Run {
  readonly ports: Ports;
  readonly connect: (host: Host, signal: AbortSignal) => Promise<Session>;
  /** The remote half, as it is sent. */
  readonly script: Buffer;
  /** Who pushes, from where: `ana@laptop`. */
  readonly who: string;
  readonly purpose: Purpose;
  /** What a host waits for, where it is not alone. */
  readonly turns: Turns;
  readonly dryRun: boolean;
  readonly force: boolean;
  /** What outranks the delivery is removed in the same transaction. */
  readonly clearShadows: boolean;
  /** How long a host that another run works on is waited for, in milliseconds. */
  readonly waitMs: number;
  /** Aborted by the user's Ctrl-C: no step but the way back begins after it. */
  readonly signal: AbortSignal;
  readonly emit: (event: RunEvent) => void;
}

/** One host within one run. */
export interface Visit extends Job {
  readonly run: Run;
  /** Names this change on the host: lock, journal and backup carry it. */
  readonly id: string;
  /** Aborted by Ctrl-C or when the host has had its time. */
  readonly signal: AbortSignal;
  /** The host's time, which does not pass while it waits for others. */
  readonly deadline: Deadline;
}

export interface Connection {
  readonly session: Session;
  readonly half: RemoteHalf;
  /** The link is known to be gone. */
  readonly isLost: () => boolean;
}

export interface Seen extends Survey {
  readonly report: ProbeReport;
  /** How far the host's clock is ahead of this laptop's, to a second; NaN when it told no time. */
  readonly aheadMs: number;
  readonly baseline: Baseline;
  /** The changes that the host keeps, newest first; read only where one is to be restored. */
  readonly backups: readonly Backup[];
}

/** Connects; the remote half starts at once, without being waited for. */
export function openConnection(visit: Visit): Promise<Connection> {
  const { host, bearer, run, signal } = visit;
  return step(visit, "connect", async () => {
    const session = withRelay(await orAbort(visit, run.connect(host, signal)), run.ports);
    const nonce = run.ports.randomHex(16);
    const secrets = bearer === undefined ? [] : [bearer];
    const half = new RemoteHalf(session, run.script, nonce, {
      runAs: host.runAs,
      nextPassword: askForPassword(run.ports, host.name, session),
      secrets,
    });
    let isLost = false;
    session.lost.catch(() => (isLost = true));
    return { session, half, isLost: () => isLost };
  });
}

/** Announces a step and does it. */
export function step<T>({ run, host }: Visit, name: Step, work: () => T): T {
  run.emit({ type: "step", host: host.name, step: name, at: run.ports.now() });
  return work();
}

/** Tells what the user should know of a host. */
export function note({ run, host }: Visit, text: string): void {
  run.emit({ type: "note", host: host.name, text, at: run.ports.now() });
}

/** Waits for `work`, but no longer than Ctrl-C or the host's deadline. */
export async function orAbort<T>({ run, host, signal }: Visit, work: Promise<T>): Promise<T> {
  work.catch(() => {}); // an abort may come first; the work's own end is then of no interest
  const over = () => (run.signal.aborted ? end.interrupted() : end.outOfTime(host));
  if (signal.aborted) throw over();
  let stop!: () => void;
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(over());
    signal.addEventListener("abort", stop);
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** Waits for other hosts of the run; the host's own time does not pass meanwhile. Ctrl-C ends it. */
export async function orAbortWaiting<T>(visit: Visit, turn: Promise<T>): Promise<T> {
  visit.deadline.hold();
  try {
    return await orAbort(visit, turn);
  } finally {
    visit.deadline.goOn();
  }
}
