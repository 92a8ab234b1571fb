import type { Delivery, Host } from "../hosts/host.ts";
import { resolveSecret } from "../hosts/secret-reference.ts";
import { locateCredentials } from "../locate/locate.ts";
import { renderInstant } from "../output/time.ts";
import type { Offer } from "../plan/plan.ts";
import type { Ports } from "../ports.ts";
import { fingerprintsWrittenTo, readLedger } from "../rollout/ledger.ts";
import { verifyOneHolder } from "../rollout/rollout.ts";
import type { Secret } from "../secret.ts";
import { projectLogin } from "../validate/project.ts";
import { verifyLogin } from "../validate/validate.ts";
import type { Job } from "../visit.ts";
import { renewIfDue } from "./renewal.ts";
import type { RefreshMode } from "./renewal.ts";

/** What is settled on this laptop before the first connection. */
export interface Preparation {
  readonly jobs: readonly Job[];
  /** Remarks for the user: first which login this is and how long it lasts. */
  readonly notes: readonly string[];
}

export interface PrepareOptions {
  /** Folder of hosts.json: relative paths in it start there. */
  readonly directory: string;
  readonly allowShortTtl: boolean;
  /** What to do about an access token that is over, or nearly so. */
  readonly refresh: RefreshMode;
  /** Ends a wait on this laptop with `INTERRUPTED`. */
  readonly signal: AbortSignal;
  /** Told what cannot wait for the notes: why nothing happens yet, and what may explain a refusal. */
  readonly tell: (note: string) => void;
}

/**
 * Finds and checks the login, cuts it down to each delivery, fetches the bearers, and sees that no refresh token gets a
 * second holder. Errors: the `CREDENTIALS_…` codes, `SECRET_UNAVAILABLE`, `TOKEN_SHARED`,
 * `INTERRUPTED`, and those of a renewal that fails.
 */
export async function prepareJobs(
  hosts: readonly Host[],
  { directory, allowShortTtl, refresh, signal, tell }: PrepareOptions,
  ports: Ports,
): Promise<Preparation> {
  const found = await locateCredentials(ports, { signal, tell });
  const needsRenewal = hosts.some(({ delivery }) => delivery === "access-token");
  const located = await renewIfDue(found, needsRenewal ? refresh : "never", ports, {
    signal,
    tell,
  });
  const offers = new Map<Delivery, Offer>();
  const remarks: string[] = [];
  const verify = (delivery: Delivery) => {
    try {
      return verifyLogin(located.credentials, delivery, ports.now(), { allowShortTtl });
    } catch (error) {
      // A refused login has no notes, but another place may have a better one.
      for (const note of located.notes) tell(note);
      throw error;
    }
  };
  const offerFor = (delivery: Delivery): Offer => {
    const earlier = offers.get(delivery);
    if (earlier !== undefined) return earlier;
    const verified = verify(delivery);
    const offer = projectLogin(verified.login, delivery);
    remarks.push(originOf(offer, located.label, ports.now()), ...verified.notes);
    offers.set(delivery, offer);
    return offer;
  };
  const ledger = await readLedger(ports);
  const bearerOf = openBearers(directory, ports);
  const offered = hosts.map((host) => ({ host, offer: offerFor(host.delivery) }));
  const jobs = await Promise.all(
    offered.map(async ({ host, offer }) => ({
      host,
      offer,
      bearer: await bearerOf(host),
      lastWritten: fingerprintsWrittenTo(host.name, ledger),
    })),
  );
  verifyOneHolder(jobs, ledger);
  return { jobs, notes: [...new Set([...remarks, ...located.notes])] };
}

/** Each bearer is fetched once, however many hosts share it: its command may ask the user for a finger. */
function openBearers(directory: string, ports: Ports) {
  const fetched = new Map<string, Promise<Secret>>();
  return ({ wrapper: { bearer } }: Host): Promise<Secret> | undefined => {
    if (bearer === undefined) return undefined;
    const key = JSON.stringify(bearer);
    const secret = fetched.get(key) ?? resolveSecret(bearer, ports, directory);
    fetched.set(key, secret);
    return secret;
  };
}

function originOf({ fingerprint, validUntil }: Offer, label: string, now: number): string {
  const until = validUntil === undefined ? "" : `, valid until ${renderInstant(validUntil, now)}`;
  return `credentials ${fingerprint} from ${label}${until}`;
}
