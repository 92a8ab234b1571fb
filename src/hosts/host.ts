/** One host of hosts.json with defaults applied: what every room works with. Times are in milliseconds. */
export interface Host {
  readonly name: string;
  readonly ssh: SshTarget;
  /** ssh_config file to use instead of the user's own, as `ssh -F`. */
  readonly sshConfig?: string;
  readonly identityFile?: string;
  readonly knownHosts?: string;
  /** Pinned host key, `SHA256:…` as `ssh-keygen -l` prints it. */
  readonly hostKey?: string;
  /** What speaks SSH: this program, the system's `ssh`, or whichever the host needs. */
  readonly transport: "auto" | "node" | "openssh";
  /** The account that owns the wrapper's login, entered with `sudo -n -u`. */
  readonly runAs?: string;
  /** Claude's configuration directory on the host; absolute, or starting with `~/`. */
  readonly configDir?: string;
  readonly tags: readonly string[];
  readonly groups: readonly string[];
  readonly delivery: Delivery;
  readonly wrapper: Wrapper;
  readonly restart: Restart;
  /** Longest time for the whole host, from connecting to the verdict. */
  readonly deadlineMs: number;
  /** How long the new process must stay the same before it counts as up. */
  readonly stabilityMs: number;
  /** Silence after which the host itself undoes an unconfirmed change. */
  readonly confirmTimeoutMs: number;
}

/** The parts of `user@host:port`. `host` may be an alias of ~/.ssh/config. */
export interface SshTarget {
  readonly host: string;
  readonly user?: string;
  readonly port?: number;
}

/** What lands on the host: the access token alone, or the whole login handed over. */
export type Delivery = "access-token" | "full-login";

/** The HTTP service in front of Claude Code, as seen from the host itself. */
export interface Wrapper {
  readonly url: string;
  readonly chat: Chat;
  readonly health?: { readonly path: string };
  readonly bearer?: SecretReference;
  /** Longest time for one chat request. */
  readonly timeoutMs: number;
  /** Longest time for the baseline request that is taken before anything is changed. */
  readonly baselineTimeoutMs: number;
  /** Longest time from the restart until the wrapper listens and is healthy. */
  readonly startTimeoutMs: number;
}

/** How to ask the wrapper one question: a preset, or a request of the user's own. */
export type Chat =
  | {
      readonly preset: "chat" | "openai" | "anthropic";
      readonly path?: string;
      readonly model?: string;
    }
  | {
      readonly preset: "custom";
      readonly method: string;
      readonly path: string;
      readonly headers: Readonly<Record<string, string>>;
      /** JSON body; every string `{{prompt}}` inside it is replaced with the question. */
      readonly body: unknown;
      /** Where the reply text stands: `choices.0.message.content`. */
      readonly replyPath: string;
    };

/** Where a secret stands; hosts.json never holds the secret itself. */
export type SecretReference =
  | { readonly env: string }
  | { readonly file: string }
  | { readonly command: string }
  | { readonly token: string };

/** How the wrapper is restarted on the host. */
export type Restart =
  | { readonly kind: "systemd"; readonly unit: string; readonly scope: "system" | "user" }
  | {
      readonly kind: "process";
      /** Where the command runs; absolute or `~/…`. */
      readonly directory: string;
      readonly command: string;
      /** Receives the wrapper's output; absolute or `~/…`. */
      readonly log: string;
    }
  | {
      readonly kind: "command";
      readonly restart: string;
      readonly status?: string;
      readonly log?: string;
      readonly timeoutMs: number;
    }
  | { readonly kind: "none" };
