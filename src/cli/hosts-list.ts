import type { Leg } from "../connect/by-node.ts";
import { opensshDemands } from "../connect/connect.ts";
import { addressOf, readHostKeyRecord } from "../connect/host-key.ts";
import { surveyKeys } from "../connect/keys.ts";
import { resolveRoute, type Route } from "../connect/route.ts";
import { SyncCredsError } from "../errors.ts";
import type { Host } from "../hosts/host.ts";
import { loadHosts } from "../hosts/load.ts";
import { selectHosts } from "../hosts/select.ts";
import { renderError } from "../output/error-message.ts";
import { paintFor } from "../output/terminal.ts";
import type { Ports } from "../ports.ts";
import { printable } from "../remote/printable.ts";
import { renderColumns, renderHostsResult } from "./hosts-output.ts";
import type { LocalOptions, LocalWorld } from "./local-command.ts";

/** The options of `hosts list`. */
export interface ListOptions extends LocalOptions {
  readonly config?: string;
  readonly exclude?: string[];
  readonly limit?: string[];
}

/** What is on record about a host's key; whether it has changed, only contact would tell. */
type KeyState = "pinned" | "revoked" | "known" | "certificate authority" | "unknown";

/** How a host would be reached. */
interface Reach {
  readonly host: string;
  readonly user: string;
  readonly address: string;
  readonly port: number;
  /** The hosts on the way there, the first to be contacted first. */
  readonly jump: readonly { readonly address: string; readonly hostKey: KeyState }[];
  readonly keys: readonly { readonly path: string; readonly problem?: string }[];
  readonly agentKeys: number;
  readonly transport: "node" | "openssh";
  /** What only the system's `ssh` can do of what this host needs. */
  readonly demands: readonly string[];
  readonly hostKey: KeyState;
  /** Types of the keys that are on record. */
  readonly hostKeyTypes: readonly string[];
  readonly notes: readonly string[];
}

interface Failed {
  readonly host: string;
  readonly error: SyncCredsError;
}

/** `hosts list`: what each target resolves to. No host is contacted. */
export async function listHosts(
  names: readonly string[],
  options: ListOptions,
  { ports, terminal }: LocalWorld,
): Promise<number> {
  const file = await loadHosts(ports, options.config);
  const { hosts } = selectHosts(file, names.length > 0 ? names : ["all"], {
    ...(options.exclude !== undefined && { exclude: options.exclude }),
    ...(options.limit !== undefined && { limit: options.limit }),
  });
  const found = await resolveAll(hosts, ports);
  const exitCode = Math.max(...found.map((one) => ("error" in one ? one.error.exitStatus : 0)));
  if (options.json === true) {
    terminal.stdout.write(renderHostsResult(exitCode, found.map(toJson)));
    return exitCode;
  }
  const paint = paintFor(terminal.stdout, terminal.env);
  const titles = ["HOST", "ADDRESS", "JUMP", "KEYS", "TRANSPORT", "HOST KEY"];
  const rows = found.map((one) => toRow(one, ports.home));
  terminal.stdout.write(renderColumns(titles, rows, paint));
  for (const one of found) {
    if ("error" in one)
      terminal.stdout.write(`\n${renderError(one.error, paint, options.verbose === true)}`);
    else for (const note of one.notes) terminal.stderr.write(`${one.host}: ${note}\n`);
  }
  return exitCode;
}

/** In order; a few at a time, for each host takes a run of `ssh -G`. */
async function resolveAll(hosts: readonly Host[], ports: Ports): Promise<(Reach | Failed)[]> {
  const found: (Reach | Failed)[] = [];
  const waiting = hosts.entries();
  const worker = async () => {
    for (const [index, host] of waiting) found[index] = await resolveOne(host, ports);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  return found;
}

const AT_A_TIME = 8;

async function resolveOne(host: Host, ports: Ports): Promise<Reach | Failed> {
  try {
    return await describeReach(host, ports);
  } catch (error) {
    if (error instanceof SyncCredsError) return { host: host.name, error };
    throw error;
  }
}

async function describeReach(host: Host, ports: Ports): Promise<Reach> {
  const route = await resolveRoute(host, ports);
  const survey = async (one: Route): Promise<Leg> => ({
    route: one,
    keys: await surveyKeys(one, ports),
    record: await readHostKeyRecord(one, ports),
  });
  const hops = await Promise.all(route.hops.map(survey));
  const end = await survey(route);
  const demands = opensshDemands(route, [...hops, end]);
  const needsOpenssh = host.transport === "auto" && demands.length > 0;
  return {
    host: host.name,
    user: route.user,
    address: route.host,
    port: route.port,
    jump: hops.map((hop) => ({ address: addressOf(hop.route), hostKey: keyStateOf(hop) })),
    keys: end.keys.identities.map(({ path, problem }) => ({
      path,
      ...(problem !== undefined && { problem: problem.why }),
    })),
    agentKeys: countAgentKeys(end),
    transport: host.transport === "openssh" || needsOpenssh ? "openssh" : "node",
    demands,
    hostKey: keyStateOf(end),
    hostKeyTypes: end.record.knownKeyTypes,
    notes: route.notes,
  };
}

function countAgentKeys({ route, keys: { identities, agent } }: Leg): number {
  if (!route.identitiesOnly) return agent.identities.length;
  const isNamed = (blob: Buffer) => identities.some(({ publicKey }) => publicKey?.equals(blob));
  return agent.identities.filter(({ blob }) => isNamed(blob)).length;
}

function keyStateOf({ route, record }: Leg): KeyState {
  if (route.pinnedKey !== undefined) return "pinned";
  if (record.isRevoked) return "revoked";
  if (record.knownKeyTypes.length > 0) return "known";
  return record.hasAuthority ? "certificate authority" : "unknown";
}

function toRow(one: Reach | Failed, home: string): string[] {
  if ("error" in one) return [one.host, `${one.error.message} (${one.error.code})`];
  const { hostKey, hostKeyTypes, transport, demands } = one;
  const keys = [
    ...one.keys.map(({ path, problem }) => {
      const shown = path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
      return problem === undefined ? shown : `${shown} (${problem})`;
    }),
    ...(one.agentKeys === 0 ? [] : [`${one.agentKeys} of the agent`]),
  ];
  const jumps = one.jump.map(({ address, hostKey: state }) =>
    state === "known" ? address : `${address} (host key ${state})`,
  );
  return [
    one.host,
    addressOf({ user: one.user, host: one.address, port: one.port }),
    jumps.join(" -> ") || "-",
    keys.join(", ") || "none",
    demands.length === 0 ? transport : `${transport} (${demands.join(", ")})`,
    hostKey === "known" ? `known (${hostKeyTypes.join(", ")})` : hostKey,
  ].map(printable);
}

function toJson(one: Reach | Failed): object {
  if (!("error" in one)) return one;
  const { code, message: what, why, next } = one.error;
  return { host: one.host, error: { code, what, why, next } };
}
