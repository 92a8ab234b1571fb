/** The login that lies on the host now, as far as the decision needs it. */
export interface HostLogin {
  readonly state: "absent" | "corrupt" | "no-login" | "blanked" | "login";
  readonly fingerprint?: string | undefined;
  readonly refreshFingerprint?: string | undefined;
  /** When its access token ends, epoch milliseconds. */
  readonly expiresAt?: number | undefined;
  /** When its refresh token ends, as newer versions of Claude Code write it. */
  readonly loginEndsAt?: number | undefined;
}

/** What we want to put there. */
export interface OurLogin {
  readonly fingerprint?: string | undefined;
  readonly validUntil?: number | undefined;
  /** Of the laptop's login, whether or not it leaves the laptop. */
  readonly localRefreshFingerprint?: string | undefined;
}

export interface ChainQuestion {
  readonly host: HostLogin;
  readonly ours: OurLogin;
  /** Fingerprints of what we wrote to this host, from the ledger. */
  readonly lastWritten: readonly string[];
  /** The host's login was seen to be dead: the baseline request said so. */
  readonly knownDead: boolean;
  /** The host's clock, epoch milliseconds. */
  readonly now: number;
}

/**
 * Whether writing would destroy a login that is not ours to destroy: undefined when not, else why not. Three are compared:
 * what we wrote (ledger), what is there now (host), what we want to write (laptop). A refresh token has one holder: a host
 * that holds one which neither this laptop nor the ledger knows has a login of its own.
 */
export function guardChain({
  host,
  ours,
  lastWritten,
  knownDead,
  now,
}: ChainQuestion): string | undefined {
  if (host.state !== "login" || knownDead || isOver(host, now)) return undefined;
  if (host.fingerprint !== undefined && host.fingerprint === ours.fingerprint) return undefined;
  if (host.refreshFingerprint !== undefined) {
    const known = [ours.localRefreshFingerprint, ...lastWritten];
    if (known.includes(host.refreshFingerprint)) return undefined;
    return lastWritten.length === 0
      ? "the host has a login of its own, with a refresh token that did not come from this laptop"
      : "what this laptop wrote there is there no more: the host's own Claude has renewed it, or somebody has logged in there";
  }
  const foreign = host.fingerprint !== undefined && !lastWritten.includes(host.fingerprint);
  const newer = (host.expiresAt ?? 0) > (ours.validUntil ?? Number.POSITIVE_INFINITY);
  if (foreign && newer) return "the host has a newer access token than this laptop";
  return undefined;
}

/** Nothing can renew it any more, and its access token has ended. */
function isOver(host: HostLogin, now: number): boolean {
  const { refreshFingerprint, expiresAt, loginEndsAt } = host;
  if (expiresAt === undefined || expiresAt > now) return false;
  return refreshFingerprint === undefined || (loginEndsAt !== undefined && loginEndsAt <= now);
}
