/** The login that lies on the host now, as far as the decision needs it. */
export interface HostLogin {
  readonly state: "absent" | "corrupt" | "no-login" | "blanked" | "login";
  readonly fingerprint?: string | undefined;
  readonly refreshFingerprint?: string | undefined;
  readonly expiresAt?: number | undefined;
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
  /** Fingerprints of what we last wrote to this host, from the ledger. */
  readonly lastWritten: readonly string[];
  /** The host's login was seen to be dead: the baseline request said so. */
  readonly knownDead: boolean;
}

/**
 * Whether writing would destroy a login that is not ours to destroy: undefined when not, else why not. Three ways are
 * compared: what we last wrote, what is there now, what we want to write. A refresh token has one holder: a host that
 * holds another one than this laptop has a login of its own.
 */
export function guardChain({
  host,
  ours,
  lastWritten,
  knownDead,
}: ChainQuestion): string | undefined {
  if (host.state !== "login" || knownDead) return undefined;
  if (host.fingerprint !== undefined && host.fingerprint === ours.fingerprint) return undefined;
  if (host.refreshFingerprint !== undefined) {
    const known = [ours.localRefreshFingerprint, ...lastWritten];
    if (known.includes(host.refreshFingerprint)) return undefined;
    return "the host has a login of its own, with a refresh token that did not come from this laptop";
  }
  const foreign = host.fingerprint !== undefined && !lastWritten.includes(host.fingerprint);
  const newer = (host.expiresAt ?? 0) > (ours.validUntil ?? Number.POSITIVE_INFINITY);
  if (foreign && newer) return "the host has a newer access token than this laptop";
  return undefined;
}
