import type { Duplex } from "node:stream";
import { SyncCredsError } from "../errors.ts";
import type { Ports } from "../ports.ts";
import type { KeyOffer, OpenOptions, OpenSession } from "../remote/open-session.ts";
import { printable } from "../remote/printable.ts";
import type { Session } from "../remote/session.ts";
import { type Attempts, explainRefusal, prepareAttempts, requireOffers } from "./auth.ts";
import {
  addressOf,
  confirmHostKey,
  hostKeyError,
  type HostKeyRecord,
  rememberHostKey,
  titleOf,
} from "./host-key.ts";
import type { Keys } from "./keys.ts";
import { personFor } from "./passwords.ts";
import type { Route } from "./route.ts";

/** A host or jump host, with what this laptop knows of its key and has to log in with. */
export interface Leg {
  readonly route: Route;
  readonly keys: Keys;
  readonly record: HostKeyRecord;
}

export interface ByNodeOptions {
  readonly open: OpenSession;
  /** The one key that hosts.json names, for its errors. */
  readonly identityFile?: string;
  readonly signal?: AbortSignal;
  readonly notes?: (line: string) => void;
}

/**
 * Connects from this process: from one jump host to the next, each with its own key check and login, then to the host. The
 * session closes its jump hosts with it. Errors: see `connect`.
 */
export async function connectByNode(
  legs: readonly Leg[],
  ports: Ports,
  options: ByNodeOptions,
): Promise<Session> {
  // Before the first connection: a host waits two minutes for a login, and people take their time.
  const prepared: { leg: Leg; attempts: Attempts }[] = [];
  for (const leg of legs) {
    const attempts = await prepareAttempts(leg.keys, leg.route, ports);
    const mayAsk =
      ports.human !== undefined && leg.route.methods.some((one) => one !== "publickey");
    if (!mayAsk) requireOffers(attempts, leg.route, options.identityFile);
    prepared.push({ leg, attempts });
  }
  const open: Session[] = [];
  const closeAll = (): void => open.toReversed().forEach((session) => session.close());
  try {
    for (const { leg, attempts } of prepared) {
      open.push(await openLeg(leg, attempts, open.at(-1), ports, options));
    }
  } catch (error) {
    closeAll();
    throw error;
  }
  const session = open.at(-1);
  if (session === undefined) throw new Error("a route without a host");
  return open.length === 1 ? session : { ...session, close: closeAll };
}

async function openLeg(
  { route, record }: Leg,
  attempts: Attempts,
  hop: Session | undefined,
  ports: Ports,
  { open, signal, notes }: ByNodeOptions,
): Promise<Session> {
  const person = personFor(route, ports);
  const tried: KeyOffer[] = [];
  const options: Omit<OpenOptions, "isHostKeyTrusted"> = {
    address: titleOf(route),
    command: route.command,
    host: route.host,
    port: route.port,
    user: route.user,
    socket: route.socket,
    methods: route.methods,
    connectTimeoutMs: route.connectTimeoutMs,
    keepAlive: route.keepAlive,
    ...(route.hostKeyAlgorithms && { hostKeyAlgorithms: route.hostKeyAlgorithms }),
    knownKeyTypes: record.knownKeyTypes,
    offers: attempts.offers,
    onOffer: (offer) => tried.push(offer),
    ...(hop && { through: () => streamTo(route, hop) }),
    ...(person && { person }),
    ...(signal && { signal }),
  };
  const openIf = async (isHostKeyTrusted: OpenOptions["isHostKeyTrusted"]): Promise<Session> => {
    try {
      return await open({ ...options, isHostKeyTrusted });
    } catch (error) {
      const isRefusal = error instanceof SyncCredsError && error.code === "AUTHENTICATION_FAILED";
      throw isRefusal ? explainRefusal(error, { ...attempts, offers: tried }, route) : error;
    }
  };
  const isAcceptable = (key: Buffer): boolean => {
    const { verdict } = record.judge(key);
    return verdict === "known" || (verdict === "unknown" && route.strict === "accept-new");
  };

  const seen: { key?: Buffer } = {};
  let session: Session;
  try {
    session = await openIf((key) => isAcceptable((seen.key = key)));
  } catch (error) {
    const { key } = seen;
    if (key === undefined || isAcceptable(key)) throw error;
    const judgement = record.judge(key);
    // A person takes longer than a handshake may: ask between two connections, the second for this key only.
    const isConfirmed =
      judgement.verdict === "unknown" && (await confirmHostKey(route, ports, key));
    if (!isConfirmed) throw hostKeyError(route, key, judgement);
    session = await openIf((offered) => offered.equals(key));
  }
  // Only now has the host signed with the key: before, it had merely shown it.
  if (seen.key && record.judge(seen.key).verdict === "unknown") {
    await rememberHostKey(route, ports, seen.key).catch(() => {
      notes?.(`the host key of ${addressOf(route)} could not be recorded in known_hosts`);
    });
  }
  // Whoever aborted no longer waits for this session, so nobody else would close it.
  if (signal?.aborted) session.close();
  return session;
}

async function streamTo(route: Route, hop: Session): Promise<Duplex> {
  try {
    return await hop.openStream(route.host, route.port);
  } catch (error) {
    if (error instanceof SyncCredsError && error.code !== "FORWARDING_REFUSED") throw error;
    const isForbidden = error instanceof SyncCredsError;
    const said = error instanceof Error && error.cause instanceof Error ? error.cause.message : "";
    const reason = printable(said).replace(/^.*open failed: |^\(SSH\) Channel open failure: /, "");
    throw new SyncCredsError("HOST_UNREACHABLE", `cannot reach ${addressOf(route)}`, {
      why: isForbidden
        ? `the sshd of ${hop.address} forwards no connections, so it is no jump host`
        : `${hop.address} was reached, but not ${route.host}:${route.port} behind it: ${reason || "it gave no reason"}`,
      next: isForbidden
        ? [`Set \`AllowTcpForwarding local\` for this account in the sshd_config of ${hop.address}`]
        : [`Try it from there, and with \`${route.command}\` from here`],
      cause: error,
    });
  }
}
