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
  /** How the delivery reaches Claude Code there. */
  readonly means: Means;
  /** The setup token of delivery `setup-token`. */
  readonly token?: SecretReference;
  /** The key of delivery `api-key`, or of the backup. */
  readonly apiKey?: SecretReference;
  /** What lies ready on the host for `failover`. */
  readonly backup?: "api-key";
  /** An env file on the host that its supervisor reads already; absolute or `~/…`. Without it sync-creds brings its own. */
  readonly envFile?: string;
  /** The folder that the wrapper works in, for project settings and `.env`; absolute or `~/…`. */
  readonly project?: string;
  readonly switches: Readonly<Record<string, Switch>>;
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

/** What lands on the host: an access token, a setup token, an API key, the whole login handed over, or nothing. */
export type Delivery = "access-token" | "setup-token" | "api-key" | "full-login" | "own-login";

/** How a credential reaches Claude Code: the credentials file, a variable, a helper script, or not at all. */
export type Means = "file" | "oauth-variable" | "key-variable" | "key-helper" | "none";

/** A text edit that can be turned on and off: the fallback of an app to another provider, for instance. */
export interface Switch {
  /** Absolute or `~/…`. */
  readonly file: string;
  /** Stands in the file exactly once while the switch is off. */
  readonly find: string;
  /** Stands there instead while it is on. */
  readonly put: string;
  /** Restarts what reads the file; by default the host's own restart. */
  readonly restart?: Restart;
  /** Who answers after it; by default the host's own wrapper. */
  readonly wrapper?: Wrapper;
}

/** The HTTP service in front of Claude Code, as seen from the host itself. */
export interface Wrapper {
  readonly url: string;
  /** Without one there is no question to ask, and only that it is up can be told: the app of a switch may be so. */
  readonly chat?: Chat;
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
      readonly kind: "docker-compose";
      /** Where the compose file stands; absolute or `~/…`. */
      readonly directory: string;
      readonly service: string;
    }
  | { readonly kind: "docker"; readonly container: string }
  | { readonly kind: "pm2"; readonly name: string }
  | {
      readonly kind: "supervisor";
      readonly program: string;
      /** supervisord's configuration, where it is not at its usual place. */
      readonly config?: string;
    }
  | {
      readonly kind: "launchd";
      readonly label: string;
      readonly scope: "system" | "user";
      readonly log?: string;
    }
  | {
      readonly kind: "command";
      readonly restart: string;
      readonly status?: string;
      readonly log?: string;
      readonly timeoutMs: number;
    }
  | { readonly kind: "none" };
