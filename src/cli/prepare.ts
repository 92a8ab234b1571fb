import type { Host } from "../hosts/host.ts";
import { locateCredentials } from "../locate/locate.ts";
import { renderNames } from "../output/names.ts";
import type { Ports } from "../ports.ts";
import type { Offer } from "../plan/plan.ts";
import { fingerprintsWrittenTo, readLedger, verifiedAt } from "../rollout/ledger.ts";
import type { Ledger } from "../rollout/ledger.ts";
import { findSharing, verifyOneHolder } from "../rollout/rollout.ts";
import type { Job } from "../visit.ts";
import { findOffers, openSecrets } from "./offers.ts";
import { renewIfDue } from "./renewal.ts";
import type { RefreshMode } from "./renewal.ts";

/** What is settled on this laptop before the first connection. */
export interface Preparation {
  readonly jobs: readonly Job[];
  /** Remarks for the user: first which login this is and how long it lasts. */
  readonly notes: readonly string[];
  /** The hosts that would hold one refresh token, where they would be several: allowed, and yet to be confirmed. */
  readonly sharing: readonly string[];
}

export interface PrepareOptions {
  /** Folder of hosts.json: relative paths in it start there. */
  readonly directory: string;
  readonly allowShortTtl: boolean;
  /** A refresh token may get a second holder: the user has said so, and typed it. */
  readonly shareRefreshToken: boolean;
  /** Leave out hosts that the ledger knows as verified with what they would get. */
  readonly resume: boolean;
  /** What to do about an access token that is over, or nearly so. */
  readonly refresh: RefreshMode;
  /** Ends a wait on this laptop with `INTERRUPTED`. */
  readonly signal: AbortSignal;
  /** Told what cannot wait for the notes: why nothing happens yet, and what may explain a refusal. */
  readonly tell: (note: string) => void;
}

/**
 * Finds and checks the login, cuts it down to each delivery, fetches tokens, keys and bearers, and sees that no refresh
 * token gets a second holder. Errors: the `CREDENTIALS_…` codes, `SECRET_UNAVAILABLE`, `SECRET_UNFIT`, `TOKEN_SHARED`,
 * `INTERRUPTED`, and those of a renewal that fails.
 */
export async function prepareJobs(
  hosts: readonly Host[],
  { directory, allowShortTtl, shareRefreshToken, resume, refresh, signal, tell }: PrepareOptions,
  ports: Ports,
): Promise<Preparation> {
  const needsRenewal = hosts.some(({ delivery }) => delivery === "access-token");
  const locate = async () => {
    const found = await locateCredentials(ports, { signal, tell });
    return renewIfDue(found, needsRenewal ? refresh : "never", ports, { signal, tell });
  };
  const { offers, notes } = await findOffers(
    hosts,
    { directory, allowShortTtl, locate, tell },
    ports,
  );
  const ledger = await readLedger(ports);
  const fetch = openSecrets(directory, ports);
  const done = new Set(resume ? verifiedHosts(offers, ledger) : []);
  const jobs = await Promise.all(
    [...offers]
      .filter(([host]) => !done.has(host))
      .map(async ([host, offer]) => ({
        host,
        offer,
        bearer: host.wrapper.bearer && (await fetch(host.wrapper.bearer)).secret,
        lastWritten: fingerprintsWrittenTo(host.name, ledger),
      })),
  );
  const sharing = findSharing(jobs, ledger);
  if (!shareRefreshToken) verifyOneHolder(sharing);
  const remarks = [...notes, ...leftOut([...done]), ...damageNotes(ledger)];
  return { jobs, notes: remarks, sharing };
}

/** Hosts that were last seen to run on what they would get. */
function verifiedHosts(offers: ReadonlyMap<Host, Offer>, ledger: Ledger): Host[] {
  return [...offers].flatMap(([host, { fingerprint }]) =>
    fingerprint !== undefined && verifiedAt(host.name, fingerprint, ledger) !== undefined
      ? [host]
      : [],
  );
}

function leftOut(hosts: readonly Host[]): string[] {
  if (hosts.length === 0) return [];
  const names = renderNames(hosts.map(({ name }) => name));
  return [`verified by an earlier run, and left out: ${names}`];
}

function damageNotes({ damaged }: Ledger): string[] {
  if (damaged.length === 0) return [];
  return [`the ledger of this laptop has lines that cannot be read: ${damaged.join(", ")}`];
}

/** The same for runs that bring nothing from this laptop: its login may be dead. Error: `SECRET_UNAVAILABLE` of a bearer. */
export async function prepareBareJobs(
  hosts: readonly Host[],
  directory: string,
  ports: Ports,
): Promise<Job[]> {
  const fetch = openSecrets(directory, ports);
  return Promise.all(
    hosts.map(async (host) => ({
      host,
      offer: {},
      bearer: host.wrapper.bearer && (await fetch(host.wrapper.bearer)).secret,
      lastWritten: [],
    })),
  );
}
