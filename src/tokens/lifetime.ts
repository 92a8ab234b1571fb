const DAY_MS = 24 * 60 * 60_000;

/**
 * When a setup token ends, by its issue: `claude setup-token` says "valid for 1 year", and the token itself carries no
 * date. Epoch milliseconds.
 */
export function setupTokenEndsAt(issuedAt: number): number {
  return issuedAt + 365 * DAY_MS;
}
