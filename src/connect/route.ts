import { SyncCredsError } from "../errors.ts";
import type { Host, SshTarget } from "../hosts/host.ts";
import type { Ports } from "../ports.ts";
import type { AuthMethod, KeepAlive, SocketOptions } from "../remote/open-session.ts";
import { oncePerRun } from "../once-per-run.ts";
import { demandsOf, listOf } from "./demands.ts";
import { parseJumps } from "./jumps.ts";
import {
  agentSocketOf,
  anyKeyNote,
  keepAliveOf,
  knownHostsFilesOf,
  methodsOf,
  milliseconds,
  socketOf,
  strictnessOf,
} from "./options.ts";
import { sshArguments } from "./ssh-command.ts";
import { expandBySsh, NO_SSH_PROGRAM, readSshConfig, SshConfig } from "./ssh-config.ts";
import { expandPath, type TokenValues } from "./tokens.ts";

/** How a host is reached: the answer of OpenSSH's own configuration, overruled by hosts.json. */
export interface Route {
  /** The host as messages name it: `web-1`, or `jump host bastion`. */
  readonly label: string;
  /** What a person types to reach it the same way: `ssh -p 2222 deploy@web-1`. */
  readonly command: string;
  /** The name in hosts.json; absent for a jump host. */
  readonly name?: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** The jump hosts that lead there, the first to be contacted first. Their own `hops` are empty. */
  readonly hops: readonly Route[];
  /** Options of ssh_config that only the system's `ssh` can follow on this way, hops included. */
  readonly demands: readonly string[];
  /** Absolute paths, in the order in which they are tried. Default ones that do not exist are left out. */
  readonly identityFiles: readonly string[];
  /** Somebody named the identity files: none of them is there just because it is a default. */
  readonly identitiesAreChosen: boolean;
  /** The agent may only be asked for the keys of `identityFiles`. */
  readonly identitiesOnly: boolean;
  readonly agentSocket?: string;
  /** Ways to log in that the user allows, in their order. */
  readonly methods: readonly AuthMethod[];
  /** Apple's `ssh` keeps passphrases in the Keychain for this host. */
  readonly keychainHasPassphrases: boolean;
  /** The user's own files first; a key that is accepted goes into the first of these. */
  readonly knownHostsFiles: {
    readonly user: readonly string[];
    readonly global: readonly string[];
  };
  /** The name under which the host's key is on record, if it is not its address. */
  readonly hostKeyAlias?: string;
  /** Pinned host key, `SHA256:…`. */
  readonly pinnedKey?: string;
  /** Host key algorithms that the user allows; all when absent. */
  readonly hostKeyAlgorithms?: readonly string[];
  readonly hashKnownHosts: boolean;
  readonly strict: "yes" | "ask" | "accept-new";
  /** ssh_config would take any key (`StrictHostKeyChecking no`); `strict` is `ask` then. */
  readonly takesAnyKey: boolean;
  readonly connectTimeoutMs: number;
  readonly keepAlive: KeepAlive;
  readonly socket: SocketOptions;
  /** The user's `ssh` goes to the background once it is in. */
  readonly forksAway: boolean;
  /** One-line remarks on what OpenSSH would do and sync-creds does not. */
  readonly notes: readonly string[];
}

const DEFAULT_IDENTITIES = ["ed25519", "ecdsa", "rsa"].map((type) => `~/.ssh/id_${type}`);
const IS_DEFAULT_IDENTITY = /^~\/\.ssh\/id_[a-z0-9_]+$/;
const DEFAULT_CONNECT_TIMEOUT_MS = 10_000;
const MOST_HOPS = 8;

/** Resolves a host as OpenSSH does; what hosts.json says wins. Errors: as `readSshConfig`. */
export function resolveRoute(host: Host, ports: Ports): Promise<Route> {
  return resolve({ ...host, label: host.name }, ports, 0);
}

/** A host or a jump host to resolve. `via` are the hops that a `ProxyJump` names before it. */
interface Stop extends Pick<Host, "ssh"> {
  readonly label: string;
  readonly name?: string;
  readonly sshConfig?: string;
  readonly identityFile?: string;
  readonly knownHosts?: string;
  readonly hostKey?: string;
  readonly via?: readonly SshTarget[];
}

async function resolve(stop: Stop, ports: Ports, depth: number): Promise<Route> {
  const answer = await readSshConfig(stop, ports);
  const config = answer ?? new SshConfig("");
  const user = stop.ssh.user ?? config.one("user") ?? ports.userName;
  const port = stop.ssh.port ?? Number(config.one("port") ?? 22);
  const hostName = config.one("hostname") ?? stop.ssh.host;
  const { home, userName: localUser, env } = ports;
  const values = { home, hostName, alias: stop.ssh.host, port, user, localUser, env };

  const jumps = stop.via ?? parseJumps(config.one("proxyjump"), values);
  const hops = await resolveHops(jumps, stop, ports, depth);
  const identities = identityPaths(stop, config);
  const agentSocket = agentSocketOf(config, values, ports.platform);
  const hostKeyAlias = config.one("hostkeyalias");
  const hostKeyAlgorithms = listOf(config, "hostkeyalgorithms");
  const { strict, takesAnyKey } = strictnessOf(config.one("stricthostkeychecking"));
  const isLost = answer === undefined && !isSelfContained(stop);
  return {
    label: stop.label,
    command: `ssh ${sshArguments(stop)}`,
    ...(stop.name !== undefined && { name: stop.name }),
    host: hostName,
    port,
    user,
    hops,
    // The command line's -J takes the place of whatever the hop's own configuration says.
    demands: [
      ...demandsOf(config).filter((one) => stop.via === undefined || one !== "ProxyCommand"),
      ...((await hasTicket(config, ports)) ? ["GSSAPIAuthentication with your ticket"] : []),
      ...hops.flatMap((hop) => hop.demands.map((demand) => `${demand} of ${hop.label}`)),
    ],
    identityFiles: await existing(identities, values, stop, ports),
    identitiesAreChosen: !identities.every((path) => IS_DEFAULT_IDENTITY.test(path)),
    identitiesOnly: config.one("identitiesonly") === "yes",
    ...(agentSocket !== undefined && { agentSocket }),
    methods: methodsOf(config),
    keychainHasPassphrases: config.isYes("usekeychain"),
    knownHostsFiles: knownHostsFilesOf(stop.knownHosts, config, values),
    ...(hostKeyAlias !== undefined && { hostKeyAlias }),
    ...(stop.hostKey !== undefined && { pinnedKey: stop.hostKey }),
    ...(hostKeyAlgorithms !== undefined && { hostKeyAlgorithms }),
    hashKnownHosts: config.one("hashknownhosts") === "yes",
    strict,
    takesAnyKey,
    connectTimeoutMs: milliseconds(config.one("connecttimeout"), DEFAULT_CONNECT_TIMEOUT_MS),
    keepAlive: keepAliveOf(config),
    socket: socketOf(config),
    forksAway: config.isYes("forkafterauthentication"),
    notes: [
      ...(isLost ? [NO_SSH_PROGRAM] : []),
      ...(takesAnyKey ? [anyKeyNote(stop.label)] : []),
      ...hops.flatMap(({ notes }) => notes),
    ],
  };
}

/** The chain to the last jump host, as OpenSSH builds it: earlier hops lead to later ones. */
async function resolveHops(
  jumps: readonly SshTarget[],
  { sshConfig }: Stop,
  ports: Ports,
  depth: number,
): Promise<Route[]> {
  const last = jumps.at(-1);
  if (last === undefined) return [];
  if (depth >= MOST_HOPS) {
    throw new SyncCredsError("SSH_UNSUPPORTED", "ProxyJump leads in a circle", {
      why: `more than ${MOST_HOPS} jump hosts lead to ${last.host}; nothing was contacted`,
      next: ["Correct ProxyJump in ~/.ssh/config: add `ProxyJump none` for the first jump host"],
    });
  }
  const { hops, ...hop } = await resolve(
    {
      label: `jump host ${last.host}`,
      ssh: last,
      ...(sshConfig !== undefined && { sshConfig }),
      ...(jumps.length > 1 && { via: jumps.slice(0, -1) }),
    },
    ports,
    depth + 1,
  );
  return [...hops, { ...hop, hops: [] }];
}

/** Many systems allow GSSAPI for all hosts; it can only log in whoever has a Kerberos ticket. */
async function hasTicket(config: SshConfig, ports: Ports): Promise<boolean> {
  const { env, files, uid } = ports;
  if (!config.isYes("gssapiauthentication")) return false;
  const cache = `/tmp/krb5cc_${uid}`;
  return Boolean(env["KRB5CCNAME"]) || (await oncePerRun(ports, cache, () => files.exists(cache)));
}

/** hosts.json says everything that is needed; a dot keeps an alias of ssh_config from being missed. */
function isSelfContained({ ssh, sshConfig, identityFile, knownHosts }: Stop): boolean {
  const isAddress = ssh.host.includes(".") || ssh.host.includes(":");
  const isComplete =
    ssh.user !== undefined && identityFile !== undefined && knownHosts !== undefined;
  return isAddress && isComplete && sshConfig === undefined;
}

function identityPaths(stop: Stop, config: SshConfig): string[] {
  if (stop.identityFile !== undefined) return [stop.identityFile];
  const configured = config.all("identityfile").filter((path) => path !== "none");
  return config.one("identityfile") === undefined ? DEFAULT_IDENTITIES : configured;
}

async function existing(paths: string[], values: TokenValues, stop: Stop, ports: Ports) {
  const kept = paths.map(async (path) => {
    const expanded = expandPath(path, values) ?? (await expandBySsh(path, stop, ports));
    if (expanded === undefined) return [];
    const isWanted = !IS_DEFAULT_IDENTITY.test(path) || (await ports.files.exists(expanded));
    return isWanted ? [expanded] : [];
  });
  return (await Promise.all(kept)).flat();
}
