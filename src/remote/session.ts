import type { Duplex, Readable, Writable } from "node:stream";

/**
 * An authenticated connection to one host whose key has been verified. The port that both transports
 * implement. Every failure of it is a `SyncCredsError`; a lost link is `CONNECTION_LOST`.
 */
export interface Session {
  /** `user@host:port`, for messages. */
  readonly address: string;
  /**
   * Has a command line run in the login shell; resolves once something may be sent to it. Errors: `REMOTE_SHELL` when the
   * host opens no channel for it. One that opens a channel and starts nothing says nothing.
   */
  exec(command: string): Promise<RemoteProcess>;
  /**
   * Opens a TCP stream from the host to an address as the host sees it.
   * Errors: `STREAM_REFUSED` (an `Error` with `code: "ECONNREFUSED"`) when nothing listens there,
   * `FORWARDING_REFUSED` when the host's sshd forbids it.
   */
  openStream(host: string, port: number): Promise<Duplex>;
  /** Never resolves; rejects with `CONNECTION_LOST` as soon as the link is known to be gone. */
  readonly lost: Promise<never>;
  /** Ends the connection at once. Safe to call twice. */
  close(): void;
}

/** A command that runs on the host. Streams carry bytes; nothing is decoded, trimmed or capped here. */
export interface RemoteProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves when the command has ended; rejects with `CONNECTION_LOST` when the link went first. */
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;
}
