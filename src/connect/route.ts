import type { Host } from "../hosts/host.ts";
import type { Ports } from "../ports.ts";
import { readSshConfig, SshConfig } from "./ssh-config.ts";
import { expandPath, type TokenValues } from "./tokens.ts";

/** How a host is reached: the answer of OpenSSH's own configuration, overruled by hosts.json. */
export interface Route {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Absolute paths, in the order in which they are tried. Default ones that do not exist are left out. */
  readonly identityFiles: readonly string[];
  /** Somebody named the identity files: none of them is there just because it is a default. */
  readonly identitiesAreChosen: boolean;
  /** The agent may only be asked for the keys of `identityFiles`. */
  readonly identitiesOnly: boolean;
  readonly agentSocket?: string;
  /** The user's own files first; a key that is accepted goes into the first of these. */
  readonly knownHostsFiles: {
    readonly user: readonly string[];
    readonly global: readonly string[];
  };
  /** The name under which the host's key is on record, if it is not its address. */
  readonly hostKeyAlias?: string;
  readonly hashKnownHosts: boolean;
  readonly strict: "yes" | "ask" | "accept-new";
  readonly connectTimeoutMs: number;
  /** One-line remarks on what OpenSSH would do and sync-creds does not. */
  readonly notes: readonly string[];
}

const DEFAULT_IDENTITIES = ["ed25519", "ecdsa", "rsa"].map((type) => `~/.ssh/id_${type}`);
const IS_DEFAULT_IDENTITY = /^~\/\.ssh\/id_[a-z0-9_]+$/;
const DEFAULT_CONNECT_TIMEOUT_MS = 10_000;

/** Resolves a host as OpenSSH does; what hosts.json says wins. Errors: as `readSshConfig`. */
export async function resolveRoute(host: Host, ports: Ports): Promise<Route> {
  const { config, notes } = isSelfContained(host)
    ? { config: new SshConfig(""), notes: [] }
    : await readSshConfig(host, ports);

  const user = host.ssh.user ?? config.one("user") ?? ports.userName;
  const port = host.ssh.port ?? Number(config.one("port") ?? 22);
  const hostName = config.one("hostname") ?? host.ssh.host;
  const { home, userName: localUser, env } = ports;
  const values = { home, hostName, alias: host.ssh.host, port, user, localUser, env };

  const identities = identityPaths(host, config);
  const agentSocket = agentSocketOf(config, values, ports.platform);
  const hostKeyAlias = config.one("hostkeyalias");
  const { strict, strictNote } = strictness(config.one("stricthostkeychecking"));
  return {
    host: hostName,
    port,
    user,
    identityFiles: await existing(identities, values, ports),
    identitiesAreChosen: !identities.every((path) => IS_DEFAULT_IDENTITY.test(path)),
    identitiesOnly: config.one("identitiesonly") === "yes",
    ...(agentSocket !== undefined && { agentSocket }),
    knownHostsFiles: knownHostsFiles(host, config, values),
    ...(hostKeyAlias !== undefined && { hostKeyAlias }),
    hashKnownHosts: config.one("hashknownhosts") === "yes",
    strict,
    connectTimeoutMs: connectTimeoutMs(config.one("connecttimeout")),
    notes: [
      ...notes,
      ...strictNote,
      ...(config.all("certificatefile").length > 0
        ? ["the user certificate named by CertificateFile is not offered, only plain keys are"]
        : []),
    ],
  };
}

/** hosts.json says everything that is needed; a dot keeps an alias of ssh_config from being missed. */
function isSelfContained({ ssh, sshConfig, identityFile, knownHosts }: Host): boolean {
  const isAddress = ssh.host.includes(".") || ssh.host.includes(":");
  const isComplete =
    ssh.user !== undefined && identityFile !== undefined && knownHosts !== undefined;
  return isAddress && isComplete && sshConfig === undefined;
}

function identityPaths(host: Host, config: SshConfig): string[] {
  if (host.identityFile !== undefined) return [host.identityFile];
  const configured = config.all("identityfile").filter((path) => path !== "none");
  return config.one("identityfile") === undefined ? DEFAULT_IDENTITIES : configured;
}

async function existing(paths: string[], values: TokenValues, ports: Ports): Promise<string[]> {
  const kept = paths.map(async (path) => {
    const expanded = expandPath(path, values);
    if (expanded === undefined) return [];
    const isWanted = !IS_DEFAULT_IDENTITY.test(path) || (await ports.files.exists(expanded));
    return isWanted ? [expanded] : [];
  });
  return (await Promise.all(kept)).flat();
}

function agentSocketOf(
  config: SshConfig,
  values: TokenValues,
  platform: NodeJS.Platform,
): string | undefined {
  const configured = config.one("identityagent") ?? "SSH_AUTH_SOCK";
  if (configured === "none") return undefined;
  if (configured === "SSH_AUTH_SOCK") {
    const isWindows = platform === "win32";
    return (
      values.env["SSH_AUTH_SOCK"] || (isWindows ? "\\\\.\\pipe\\openssh-ssh-agent" : undefined)
    );
  }
  if (configured.startsWith("$") && !configured.startsWith("${")) {
    return values.env[configured.slice(1)];
  }
  return expandPath(configured, values);
}

function knownHostsFiles(host: Host, config: SshConfig, values: TokenValues) {
  const split = (keyword: string, otherwise: string): string[] =>
    (config.one(keyword) ?? otherwise)
      .split(" ")
      .filter((path) => path !== "none" && path !== "")
      .flatMap((path) => expandPath(path, values) ?? []);
  const user =
    host.knownHosts === undefined
      ? split("userknownhostsfile", "~/.ssh/known_hosts ~/.ssh/known_hosts2")
      : [expandPath(host.knownHosts, values) ?? host.knownHosts];
  return { user, global: split("globalknownhostsfile", "/etc/ssh/ssh_known_hosts") };
}

function strictness(value = "ask"): { strict: Route["strict"]; strictNote: string[] } {
  if (value === "yes" || value === "true") return { strict: "yes", strictNote: [] };
  if (value === "accept-new") return { strict: "accept-new", strictNote: [] };
  // Credentials must not go to whoever answers, whatever is good enough for a shell.
  const strictNote =
    value === "ask"
      ? []
      : ["StrictHostKeyChecking no is not followed: an unknown host key is asked for"];
  return { strict: "ask", strictNote };
}

function connectTimeoutMs(seconds: string | undefined): number {
  const value = Number(seconds);
  return value > 0 ? value * 1000 : DEFAULT_CONNECT_TIMEOUT_MS;
}
