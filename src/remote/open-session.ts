import type { ParsedKey } from "ssh2";
import type { Ports } from "../ports.ts";
import type { Secret } from "../secret.ts";
import type { Session } from "./session.ts";

/** Connects to a host, has its key judged, authenticates. See `openNodeSshSession` for the errors. */
export type OpenSession = (options: OpenOptions) => Promise<Session>;

export interface OpenOptions {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /**
   * Judges the host's key (wire format) before anything of ours is shown to the host. Anything but
   * `true`, an exception included, ends the connection.
   */
  readonly isHostKeyTrusted: (key: Buffer) => boolean;
  /** Types of the keys that are on record for this host; they are asked for first. */
  readonly knownKeyTypes: readonly string[];
  /** The keys to try, in this order. No other way to log in is tried. */
  readonly offers: readonly KeyOffer[];
  /** Until the key exchange is done, as OpenSSH's `ConnectTimeout`. */
  readonly connectTimeoutMs: number;
  /** Ends the attempt. Once the session is open it has no effect: a rollback needs the link. */
  readonly signal?: AbortSignal;
}

/** One key that may open the door: a private key in memory, or a public one that an agent signs for. */
export interface KeyOffer {
  /** For messages: the file's path, or the key's comment in the agent. */
  readonly label: string;
  readonly key: ParsedKey;
  readonly agentSocket?: string;
}

/** Connects through the system's `ssh`, which reads its own configuration. See `openOpensshSession` for the errors. */
export type OpenOpensshSession = (options: OpensshOptions) => Promise<Session>;

export interface OpensshOptions {
  /** Arguments before the destination (`-F`, `-p`, `-l`, `-o` …); they win over the user's configuration. */
  readonly argv: readonly string[];
  /** The host as the user wrote it. */
  readonly destination: string;
  /** `user@host:port`, for messages. */
  readonly address: string;
  readonly files: Pick<Ports["files"], "makePrivateFolder" | "remove">;
  /** Answers what `ssh` asks for; `undefined` declines. Absent: it may not ask (`BatchMode`). */
  readonly answer?: (question: SshQuestion) => Promise<Secret | undefined>;
  /** Until `ssh` has authenticated; the time in which a person answers does not count. */
  readonly connectTimeoutMs: number;
  /** Ends the attempt; has no effect on an open session. */
  readonly signal?: AbortSignal;
}

/** What `ssh` wants to know, or, as a notice, to have shown: it then expects no answer. */
export interface SshQuestion {
  readonly kind: "secret" | "confirm" | "notice";
  readonly text: string;
}
