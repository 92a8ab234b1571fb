/**
 * Every failure that sync-creds can report. One class, one closed table of codes.
 * A code is stable: scripts may rely on it. The number is the exit status it ends with.
 */
export const EXIT_STATUS = {
  USAGE: 2,
  TARGET_UNKNOWN: 2,
  INPUT_NEEDED: 2,
  TOKEN_UNUSABLE: 2,
  TOKEN_UNKNOWN: 2,

  CONFIG_NOT_FOUND: 3,
  CONFIG_UNREADABLE: 3,
  CONFIG_UNSAFE: 3,
  CONFIG_INVALID: 3,
  CONFIG_UNWRITABLE: 3,
  SECRET_UNAVAILABLE: 3,
  SECRET_UNFIT: 3,
  TOKEN_STORE: 3,

  CREDENTIALS_NOT_FOUND: 4,
  CREDENTIALS_UNREADABLE: 4,
  CREDENTIALS_MALFORMED: 4,
  CREDENTIALS_BLANKED: 4,
  CREDENTIALS_MCP_ONLY: 4,
  CREDENTIALS_NO_INFERENCE: 4,
  CREDENTIALS_PLACEHOLDER: 4,
  CREDENTIALS_EXPIRED: 4,
  CREDENTIALS_EXPIRING: 4,
  CREDENTIALS_LOGIN_OVER: 4,
  CREDENTIALS_NOT_RENEWABLE: 4,
  CLAUDE_NOT_FOUND: 4,
  REFRESH_FAILED: 4,

  HOST_UNREACHABLE: 12,
  HOST_KEY_UNKNOWN: 10,
  HOST_KEY_CHANGED: 10,
  HOST_KEY_REVOKED: 10,
  KEY_UNREADABLE: 10,
  AUTHENTICATION_FAILED: 10,
  SSH_UNSUPPORTED: 10,
  CONNECTION_LOST: 10,
  FORWARDING_REFUSED: 10,

  REMOTE_SHELL: 10,
  REMOTE_TOOLS: 10,
  RUN_AS_REFUSED: 10,
  PROTOCOL: 10,

  TARGET_UNSAFE: 10,
  HOST_LOGIN_CONFLICT: 10,
  FILE_CHANGED: 10,
  TOKEN_SHARED: 10,
  SHADOWED: 10,
  STOPPED: 10,
  OWN_LOGIN_FAILED: 10,
  SWITCH_UNCLEAR: 10,
  BACKUP_UNKNOWN: 10,
  BACKUP_DEAD: 10,
  WRAPPER_UNUSABLE: 10,
  LOCKED: 13,
  INSTALL_FAILED: 10,
  RESTART_FAILED: 10,
  HOST_DEADLINE: 10,
  RECOVERY_FAILED: 11,
  ROLLBACK_FAILED: 11,

  INTERRUPTED: 130,
  BUG: 1,
} as const;

/** A stable, greppable name for one kind of failure. */
export type ErrorCode = keyof typeof EXIT_STATUS;

/** Whether a text is one of our codes (a smoke verdict's class, for instance, is not). */
export function isErrorCode(text: string | undefined): text is ErrorCode {
  return text !== undefined && Object.hasOwn(EXIT_STATUS, text);
}

/** What a failure says besides its first line. */
export interface Explanation {
  /** The fact behind it, in the user's terms. */
  readonly why?: string;
  /** Imperative lines; commands stand in backticks. */
  readonly next?: readonly string[];
  readonly cause?: unknown;
}

/** An expected failure: what happened (`message`), why, and what to do next. Never holds a secret. */
export class SyncCredsError extends Error {
  override readonly name = "SyncCredsError";
  readonly code: ErrorCode;
  readonly why: string | undefined;
  readonly next: readonly string[];

  constructor(code: ErrorCode, what: string, explanation: Explanation = {}) {
    super(what, { cause: explanation.cause });
    this.code = code;
    this.why = explanation.why;
    this.next = explanation.next ?? [];
  }

  /** The exit status this failure ends the program with. */
  get exitStatus(): number {
    return EXIT_STATUS[this.code];
  }
}

/** Whatever was thrown, as a `SyncCredsError`: what is not one already is a bug of ours and says so. */
export function toSyncCredsError(thrown: unknown): SyncCredsError {
  if (thrown instanceof SyncCredsError) return thrown;
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return new SyncCredsError("BUG", "sync-creds met an error it does not know", {
    why: text,
    next: ["Run the command again with `-v` and report what it prints"],
    cause: thrown,
  });
}
