import type { Duplex } from "node:stream";
import type { ParsedKey } from "ssh2";
import type { Ports } from "../ports.ts";
import type { Secret } from "../secret.ts";
import type { Session } from "./session.ts";

/** Connects to a host, has its key judged, authenticates. See `openNodeSshSession` for the errors. */
export type OpenSession = (options: OpenOptions) => Promise<Session>;

export interface OpenOptions {
  /** The host as messages name it: `user@host:port`, or `jump host user@host:port`. */
  readonly address: string;
  /** What a person types to reach it, for messages. */
  readonly command: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Leads to the host's sshd, through another host; without it a TCP connection from here does. */
  readonly through?: () => Promise<Duplex>;
  readonly socket?: SocketOptions;
  /**
   * Judges the host's key (wire format) before anything of ours is shown to the host. Anything but
   * `true`, an exception included, ends the connection.
   */
  readonly isHostKeyTrusted: (key: Buffer) => boolean;
  /** Types of the keys that are on record for this host; they are asked for first. */
  readonly knownKeyTypes: readonly string[];
  /** Host key algorithms that the user allows; all when absent. */
  readonly hostKeyAlgorithms?: readonly string[];
  /** Ways to log in, in the order in which they are tried; no other is. */
  readonly methods: readonly AuthMethod[];
  /** The keys to try, in this order. */
  readonly offers: readonly KeyOffer[];
  /** Told of each key as it is tried: a host may stop listening before the last one. */
  readonly onOffer?: (offer: KeyOffer) => void;
  /** The person who knows a password; without one only keys are tried. */
  readonly person?: LoginPerson;
  /** Until the key exchange is done, as OpenSSH's `ConnectTimeout`. */
  readonly connectTimeoutMs: number;
  readonly keepAlive: KeepAlive;
  /** Ends the attempt. Once the session is open it has no effect: a rollback needs the link. */
  readonly signal?: AbortSignal;
}

export type AuthMethod = "publickey" | "keyboard-interactive" | "password";

/** Answers what a host asks at one login. Asked again, what it gave before was refused. Rejects when they break off. */
export interface LoginPerson {
  password(): Promise<Secret>;
  /** One answer for each prompt of keyboard-interactive. */
  answer(questions: LoginQuestions): Promise<readonly Secret[]>;
}

/** What a host wants to know, in its own words: show them only after cleaning. */
export interface LoginQuestions {
  readonly instructions: string;
  readonly prompts: readonly { readonly text: string; readonly isEchoed: boolean }[];
}

/** A link is given up after `count` signs of life without an answer. */
export interface KeepAlive {
  readonly intervalMs: number;
  readonly count: number;
}

/** What our end of the connection must be. */
export interface SocketOptions {
  readonly family?: 4 | 6;
  /** One of our own addresses. */
  readonly localAddress?: string;
}

/** One key that may open the door: a private key in memory, or a public one that an agent signs for. */
export interface KeyOffer {
  /** For messages: the file's path, or the key's comment in the agent. */
  readonly label: string;
  readonly key: ParsedKey;
  readonly agentSocket?: string;
}

/** What a session through the system's `ssh` needs; `ssh` reads its own configuration. */
export interface OpensshOptions {
  /** Arguments before the destination (`-F`, `-p`, `-l`, `-o` …); they win over the user's configuration. */
  readonly argv: readonly string[];
  /** The host as the user wrote it. */
  readonly destination: string;
  /** `user@host:port`, for messages. */
  readonly address: string;
  /** What a person types to reach it, for messages. */
  readonly command: string;
  /** The jump hosts on the way, for messages; `names` are what `ssh` calls each of them. */
  readonly hops: readonly {
    readonly address: string;
    readonly command: string;
    readonly names: readonly string[];
  }[];
  readonly files: Pick<Ports["files"], "makePrivateFolder" | "remove">;
  readonly platform: NodeJS.Platform;
  /** The environment that `ssh` runs in, as the user's own would: agent, ticket cache, PATH. */
  readonly env: Ports["env"];
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
