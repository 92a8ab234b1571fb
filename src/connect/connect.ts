import { SyncCredsError } from "../errors.ts";
import type { Host } from "../hosts/host.ts";
import type { Ports } from "../ports.ts";
import type { Session } from "../remote/session.ts";
import { connectByNode, type Leg } from "./by-node.ts";
import { readHostKeyRecord } from "./host-key.ts";
import { keyDemands, surveyKeys } from "./keys.ts";
import { resolveRoute, type Route } from "./route.ts";

export interface ConnectOptions {
  /** Which of how many hosts of the run this is, for a person who has to touch a key: `3/12`. */
  readonly turn?: string;
  /** Ends the attempt; has no effect on a session that is open. */
  readonly signal?: AbortSignal;
  /** Receives one-line remarks, such as what of ~/.ssh/config is not followed. */
  readonly notes?: (line: string) => void;
}

/**
 * Reaches a host as `ssh` would: its key is judged before anything of ours is shown to it, then the user's keys are
 * offered, then a person is asked. An unknown key is put to the human and recorded once the host has proved it. What this
 * program cannot do goes through the system's `ssh`, unless hosts.json forbids that.
 * Errors: `HOST_UNREACHABLE`, `HOST_KEY_UNKNOWN`, `HOST_KEY_CHANGED`, `HOST_KEY_REVOKED`,
 * `KEY_UNREADABLE`, `AUTHENTICATION_FAILED`, `SSH_UNSUPPORTED`, or what the signal was aborted with.
 */
export async function connect(
  host: Host,
  ports: Ports,
  options: ConnectOptions = {},
): Promise<Session> {
  const { notes } = options;
  // ssh2 takes a tenth of a second to load: time in which `ssh -G` can answer.
  const loading = host.transport === "openssh" ? undefined : loadNodeTransport();
  loading?.catch(() => undefined);
  const route = await resolveRoute(host, ports);
  route.notes.forEach((note) => notes?.(note));
  const legs = await Promise.all([...route.hops, route].map((one) => survey(one, ports)));
  const demands = opensshDemands(route, legs);

  if (host.transport === "node" && demands.length > 0) throw notByNode(host, demands);
  if (host.transport === "openssh" || (host.transport === "auto" && demands.length > 0)) {
    if (demands.length > 0) notes?.(`goes through the system's \`ssh\`: ${demands.join(", ")}`);
    return await byOpenssh(host, legs, ports, options);
  }
  try {
    const { identityFile } = host;
    return await connectByNode(legs, ports, {
      ...options,
      ...(identityFile !== undefined && { identityFile }),
      open: await (loading ?? loadNodeTransport()),
    });
  } catch (error) {
    // Nothing of ours was shown yet: the two programs found no common algorithm.
    const isOurLack = error instanceof SyncCredsError && error.code === "SSH_UNSUPPORTED";
    if (!isOurLack || host.transport === "node") throw error;
    notes?.(`goes through the system's \`ssh\`: ${error.why ?? error.message}`);
    return await byOpenssh(host, legs, ports, options);
  }
}

/** What only the system's `ssh` can do on the way to a host; empty for most hosts. */
export function opensshDemands(route: Route, legs: readonly Leg[]): string[] {
  return [
    ...route.demands,
    ...legs.flatMap((leg) => [
      ...keyDemands(leg.keys, leg.route),
      ...(leg.record.hasAuthority ? [`the host certificate of ${leg.route.label}`] : []),
    ]),
  ];
}

async function survey(route: Route, ports: Ports): Promise<Leg> {
  const [record, keys] = await Promise.all([
    readHostKeyRecord(route, ports),
    surveyKeys(route, ports),
  ]);
  return { route, keys, record };
}

async function byOpenssh(
  host: Host,
  legs: readonly Leg[],
  ports: Ports,
  options: ConnectOptions,
): Promise<Session> {
  const { connectByOpenssh } = await import("./by-openssh.ts");
  return await connectByOpenssh(host, legs, ports, options);
}

async function loadNodeTransport() {
  return (await import("../remote/node-ssh-session.ts")).openNodeSshSession;
}

function notByNode(host: Host, demands: readonly string[]): SyncCredsError {
  return new SyncCredsError("SSH_UNSUPPORTED", `${host.name} needs the system's \`ssh\``, {
    why: `hosts.json says \`"transport": "node"\`, which cannot follow ${demands.join(", ")}; the host was not contacted`,
    next: [`Take \`transport\` of ${host.name} out of hosts.json`],
  });
}
