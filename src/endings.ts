import { SyncCredsError } from "./errors.ts";
import { failureOfError } from "./failure.ts";
import type { Failure } from "./failure.ts";
import type { Host } from "./hosts/host.ts";
import type { RollbackReport } from "./install/rollback.ts";
import type { BackupSummary, Outcome } from "./outcome.ts";
import { sanitize } from "./output/sanitize.ts";
import { wordsFor } from "./purpose.ts";
import type { Purpose } from "./purpose.ts";
import { AWAIT_IT } from "./remote/lock-holder.ts";
import type { ProbeReport } from "./remote/probe-report.ts";

const PUSH: Purpose = { kind: "push" };

/** How one host ended, before the bookkeeping that every result shares. */
export interface Ending {
  readonly outcome: Outcome;
  readonly code?: string | undefined;
  readonly what?: string | undefined;
  readonly why?: string | undefined;
  readonly next?: readonly string[];
  readonly state?: string | undefined;
  readonly logTail?: readonly string[];
  readonly plan?: readonly string[];
  readonly backups?: readonly BackupSummary[];
  /** What the host runs on now, where it is not what the laptop offered. */
  readonly brings?: Brought | undefined;
}

/** What a change brings, as the result tells it. */
export interface Brought {
  readonly fingerprint?: string | undefined;
  /** Epoch milliseconds. */
  readonly validUntil?: number | undefined;
}

/** The ending of a host that was never changed. */
export function untouched(error: SyncCredsError): Ending {
  const outcome = UNTOUCHED[error.code] ?? "failed";
  return { ...failureOfError(error), outcome, state: "nothing was changed on the host" };
}

/** The ending of a failed install, when the host said how it stands; undefined when the conversation broke off. */
export function notInstalled(error: SyncCredsError): Ending | undefined {
  if (error.code === "ROLLBACK_FAILED") {
    return {
      ...failureOfError(error),
      outcome: "rollback-failed",
      state: "the change is half-way in",
    };
  }
  return AS_IT_WAS.has(error.code) ? untouched(error) : undefined;
}

const AS_IT_WAS = new Set<SyncCredsError["code"]>([
  "LOCKED",
  "FILE_CHANGED",
  "TARGET_UNSAFE",
  "INSTALL_FAILED",
]);

const UNTOUCHED: Partial<Record<SyncCredsError["code"], Outcome>> = {
  LOCKED: "busy",
  FILE_CHANGED: "conflict",
  HOST_LOGIN_CONFLICT: "conflict",
  HOST_UNREACHABLE: "unreachable",
  HOST_KEY_UNKNOWN: "refused",
  HOST_KEY_CHANGED: "refused",
  HOST_KEY_REVOKED: "refused",
  SSH_UNSUPPORTED: "refused",
  FORWARDING_REFUSED: "refused",
  TARGET_UNSAFE: "refused",
  SHADOWED: "refused",
  STOPPED: "not-attempted",
  INTERRUPTED: "not-attempted",
  SWITCH_UNCLEAR: "refused",
  BACKUP_UNKNOWN: "refused",
  BACKUP_DEAD: "refused",
  REMOTE_TOOLS: "refused",
  RUN_AS_REFUSED: "refused",
  WRAPPER_UNUSABLE: "refused",
};

/** The new credentials are in place, but no nonce came back: neither proven nor worth taking back. */
export function unproven(failure: Failure, purpose: Purpose = PUSH): Ending {
  return { ...failure, outcome: "unverified", state: wordsFor(purpose).fresh };
}

/** The former credentials are back. */
export function rolledBack(failure: Failure, how: string, purpose: Purpose = PUSH): Ending {
  return { ...failure, outcome: "rolled-back", state: `${wordsFor(purpose).former}, ${how}` };
}

/** The host's own dead-man switch was faster than our commit. */
export function undoneByHost(host: Host, purpose: Purpose = PUSH): Ending {
  return {
    outcome: "rolled-back",
    code: "CONNECTION_LOST",
    what: "the host took the change back before we could confirm it",
    why: `it had heard nothing from here for ${host.confirmTimeoutMs / 1000} s`,
    next: ["Push again; raise `confirmTimeoutMs` if this laptop sleeps in between"],
    state: wordsFor(purpose).former,
  };
}

/** The way back did not end well. */
export function rollbackFailed(
  failure: Failure,
  host: Host,
  { configDir }: ProbeReport,
  { changedByOthers, restored, detail, restart }: RollbackReport,
  purpose: Purpose = PUSH,
): Ending {
  const { things } = wordsFor(purpose);
  const undo = `sh ${configDir}/.sync-creds/pending/script undo`;
  if (changedByOthers) {
    return {
      ...failure,
      outcome: "conflict",
      state:
        "something else wrote the file after us; it was left alone, and the wrapper was not restarted",
      next: [
        ...failure.next,
        `The former file is kept on ${host.name} in the newest folder of ${configDir}/.sync-creds/backups`,
      ],
    };
  }
  const why = restored
    ? `the former ${things} are back, but the wrapper does not answer with them as it did before${restart.failure === undefined ? "" : ` (${restart.failure.reason})`}`
    : `the former ${things} could not be put back: ${detail || (restart.failure?.reason ?? "unknown")}`;
  return {
    ...failure,
    outcome: "rollback-failed",
    state: why,
    logTail: restart.log.length > 0 ? restart.log : (failure.logTail ?? []),
    next: restored
      ? ["Look at the wrapper's log on HOST", ...failure.next]
      : [`On HOST: \`${undo}\``, ...failure.next],
  };
}

/** The host cannot be reached any more; what it does by itself is all that is known. */
export function hostIsSilent(failure: Failure, host: Host, purpose: Purpose = PUSH): Ending {
  return {
    ...failure,
    outcome: "rollback-failed",
    code: "CONNECTION_LOST",
    state: `unknown: unless it was confirmed, the host puts its former ${wordsFor(purpose).things} back by itself within ${host.confirmTimeoutMs / 1000} s of silence`,
    next: ["When HOST is reachable again: `sync-creds plan HOST`, then `sync-creds push HOST`"],
  };
}

/** A leftover of an earlier run could not be undone. */
export function recoveryFailed({
  changedByOthers,
  detail,
  restart,
}: RollbackReport): SyncCredsError {
  if (restart.failure?.reason === "busy") {
    return new SyncCredsError("LOCKED", "another run is at work on this host", {
      why: "it recovers what an earlier run has left",
      next: [...AWAIT_IT],
    });
  }
  return new SyncCredsError(
    "RECOVERY_FAILED",
    "an earlier run's unfinished change could not be undone",
    {
      why: changedByOthers ? "something else has changed the file since" : detail,
      next: [
        "Look at .sync-creds/pending in Claude's configuration directory on HOST: `backup` is the former file",
        "When the right file is in place: `rm -r ~/.claude/.sync-creds/pending` there, then push again",
      ],
    },
  );
}

/** The leftover of an earlier run is there again after it was undone. */
export function leftoverStays(who: string): SyncCredsError {
  return new SyncCredsError(
    "RECOVERY_FAILED",
    "an unfinished change comes back as often as it is undone",
    {
      why: `it is of ${sanitize(who, { maxLength: 100 })}; another run may be at work from elsewhere`,
      next: ["Let the other run end, then push again"],
    },
  );
}

/** Ctrl-C. */
export function interrupted(): SyncCredsError {
  return new SyncCredsError("INTERRUPTED", "interrupted", { next: ["Run the command again"] });
}

/** The host has had all the time that hosts.json allows it. */
export function outOfTime({ deadlineMs }: Host): SyncCredsError {
  return new SyncCredsError("HOST_DEADLINE", `not done within ${deadlineMs / 1000} s`, {
    why: "the deadline for one host has passed",
    next: ["Raise `deadlineMs` in hosts.json if this host is slow by nature"],
  });
}

/** Proven here, but an atomic run keeps all hosts together, and another one has failed. */
export function othersFailed(): Failure {
  return {
    code: "STOPPED",
    what: "put back, for another host of this atomic run has failed",
    why: "with `--atomic` all hosts are changed, or none",
    next: ["Mend the host that failed, then run the command again"],
  };
}
