/** What the tokens of ssh_config(5) stand for on one connection. */
export interface TokenValues {
  /** `%d` and `~`: the user's home directory. */
  readonly home: string;
  /** `%h`: the host name that is connected to. */
  readonly hostName: string;
  /** `%n`: the host as the user wrote it. */
  readonly alias: string;
  /** `%p` */
  readonly port: number;
  /** `%r`: the account on the host. */
  readonly user: string;
  /** `%u`: the account here. */
  readonly localUser: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * A path of ssh_config(5) with `~`, `%` tokens and `${VARIABLE}` replaced: `ssh -G` prints `IdentityFile`
 * as it was written. `undefined` when it uses a token or a variable that is not there.
 */
export function expandPath(path: string, values: TokenValues): string | undefined {
  const tokens: Readonly<Record<string, string>> = {
    "%%": "%",
    "%d": values.home,
    "%h": values.hostName,
    "%n": values.alias,
    "%p": String(values.port),
    "%r": values.user,
    "%u": values.localUser,
  };
  let complete = true;
  const expanded = path
    .replace(/^~(?=\/|$)/, () => values.home)
    .replace(/%.?|\$\{([^}]*)\}/g, (token, variable: string | undefined) => {
      const value = variable === undefined ? tokens[token] : values.env[variable];
      complete &&= value !== undefined;
      return value ?? "";
    });
  return complete ? expanded : undefined;
}
