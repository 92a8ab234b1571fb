import { EXIT_STATUS, isErrorCode } from "./errors.ts";

/** How one host ended. Exactly one per host. */
export type Outcome =
  | "verified"
  | "unchanged"
  | "planned"
  | "rolled-back"
  | "unverified"
  | "rollback-failed"
  | "conflict"
  | "busy"
  | "unreachable"
  | "refused"
  | "failed"
  | "not-attempted";

/** The result of one host, as the closing table and `--json` show it. Never holds a secret. */
export interface HostResult {
  readonly host: string;
  readonly outcome: Outcome;
  /** The error's code, or the smoke verdict's class, when the outcome is not a plain success. */
  readonly code?: string | undefined;
  /** Fingerprint of the credentials that the host now runs on, where known. */
  readonly fingerprint?: string | undefined;
  /** When those credentials stop working; epoch milliseconds. */
  readonly validUntil?: number | undefined;
  /** One line: what happened. */
  readonly what?: string | undefined;
  readonly why?: string | undefined;
  readonly next: readonly string[];
  /** What state the host is in now, when that is not plain from the outcome. */
  readonly state?: string | undefined;
  /** Lines of the wrapper's log, sanitized, when it failed to start. */
  readonly logTail?: readonly string[] | undefined;
  readonly durationMs: number;
  /** The plan, one line per change, in a dry run. */
  readonly plan?: readonly string[] | undefined;
  /** What the host keeps, newest first, where that was asked. */
  readonly backups?: readonly BackupSummary[] | undefined;
}

/** A change that a host keeps the former files of. */
export interface BackupSummary {
  /** Names it to `rollback --to`; a beginning of it will do. */
  readonly id: string;
  /** Epoch milliseconds, by the host's clock. */
  readonly at: number;
  /** Who made the change, from where. */
  readonly who: string;
  /** What it was: `push`, `rollback`, `switch fallback on`. */
  readonly what: string;
  /** Of the credentials in it, where it holds any. */
  readonly fingerprint?: string;
  /** The same, or what is there instead: `no file`, `a blanked login`, `-`. */
  readonly holds: string;
  /** Absolute paths on the host. */
  readonly files: readonly string[];
}

/** The steps of one host, in the order they happen. */
export type Step =
  | "connect"
  | "probe"
  | "plan"
  | "recover"
  | "install"
  | "restart"
  | "smoke"
  | "commit"
  | "rollback";

/** Of the lines of `--json`. It grows when a reader of the former one could break. */
export const SCHEMA_VERSION = 1;

/** What happens while a run goes on. Views draw it; `--json` prints it line by line. */
export type RunEvent =
  | { readonly type: "step"; readonly host: string; readonly step: Step; readonly at: number }
  | { readonly type: "note"; readonly host?: string; readonly text: string; readonly at: number }
  | { readonly type: "host"; readonly result: HostResult; readonly at: number };

/** The exit status for a whole run: the worst finding wins (11, a bug, interrupted, then 10, 13, 12, else 0). */
export function exitStatusOf(results: readonly HostResult[]): number {
  const found = new Set(results.map((result) => exitStatusOfHost(result)));
  return [11, 1, 130, 10, 13, 12].find((status) => found.has(status)) ?? 0;
}

function exitStatusOfHost({ outcome, code }: HostResult): number {
  switch (outcome) {
    case "verified":
    case "unchanged":
    case "planned":
      return 0;
    case "rollback-failed":
      return 11;
    case "busy":
      return EXIT_STATUS.LOCKED;
    case "unreachable":
      return EXIT_STATUS.HOST_UNREACHABLE;
    case "failed":
    case "refused":
    case "conflict":
    case "rolled-back":
    case "unverified":
    case "not-attempted": {
      const status = isErrorCode(code) ? EXIT_STATUS[code] : 10;
      return [11, 1, 130].includes(status) ? status : 10;
    }
  }
}
