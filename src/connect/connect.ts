import { SyncCredsError } from "../errors.ts";
import type { Host } from "../hosts/host.ts";
import type { Ports } from "../ports.ts";
import type { OpenOptions, OpenSession } from "../remote/open-session.ts";
import type { Session } from "../remote/session.ts";
import { explainRefusal, prepareAttempts, requireOffers } from "./auth.ts";
import {
  addressOf,
  confirmHostKey,
  hostKeyError,
  readHostKeyRecord,
  rememberHostKey,
} from "./host-key.ts";
import { resolveRoute } from "./route.ts";

export interface ConnectOptions {
  /** The transport: `openNodeSshSession`. */
  readonly open: OpenSession;
  /** Ends the attempt; has no effect on a session that is open. */
  readonly signal?: AbortSignal;
  /** Receives one-line remarks, such as what of ~/.ssh/config is not followed. */
  readonly notes?: (line: string) => void;
}

/**
 * Reaches a host as `ssh` would: its key is judged before anything of ours is shown to it, then the
 * user's keys are offered. An unknown key is put to the human and recorded once the host has proved it.
 * Errors: `HOST_UNREACHABLE`, `HOST_KEY_UNKNOWN`, `HOST_KEY_CHANGED`, `HOST_KEY_REVOKED`,
 * `KEY_UNREADABLE`, `AUTHENTICATION_FAILED`, `SSH_UNSUPPORTED`, or what the signal was aborted with.
 */
export async function connect(
  host: Host,
  ports: Ports,
  { open, signal, notes }: ConnectOptions,
): Promise<Session> {
  const route = await resolveRoute(host, ports);
  route.notes.forEach((note) => notes?.(note));
  const [record, attempts] = await Promise.all([
    readHostKeyRecord(host, route, ports),
    prepareAttempts(route, ports),
  ]);
  requireOffers(attempts, addressOf(route), host.identityFile);

  const options: Omit<OpenOptions, "isHostKeyTrusted"> = {
    host: route.host,
    port: route.port,
    user: route.user,
    knownKeyTypes: record.knownKeyTypes,
    offers: attempts.offers,
    connectTimeoutMs: route.connectTimeoutMs,
    ...(signal && { signal }),
  };
  const openIf = async (isHostKeyTrusted: OpenOptions["isHostKeyTrusted"]): Promise<Session> => {
    try {
      return await open({ ...options, isHostKeyTrusted });
    } catch (error) {
      const isRefusal = error instanceof SyncCredsError && error.code === "AUTHENTICATION_FAILED";
      throw isRefusal ? explainRefusal(error, attempts, route) : error;
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
    if (!isConfirmed) throw hostKeyError(host, route, key, judgement);
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
