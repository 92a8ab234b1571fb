import { fingerprintOf } from "../credentials/fingerprint.ts";
import type { Login } from "../credentials/schema.ts";
import type { Delivery } from "../hosts/host.ts";
import { Secret } from "../secret.ts";

/** What may leave the laptop. */
export interface Projection {
  /** JSON text of the `claudeAiOauth` value. */
  readonly block: Secret;
  readonly fingerprint: string;
  /** When what is sent stops working; epoch milliseconds. */
  readonly validUntil: number | undefined;
  /** Fingerprint of the laptop's refresh token, sent or not. */
  readonly localRefreshFingerprint: string | undefined;
  /** Fingerprint of the refresh token that is sent; undefined when none is. */
  readonly sentRefreshFingerprint: string | undefined;
}

/**
 * Cuts a login down to its delivery. `access-token`: only the fields a refresh-less login needs (it works without
 * refresh token and is left alone by Claude Code, seen with 2.1.330); whatever else stands in the block stays here.
 * `full-login`: the block as it is.
 */
export function projectLogin(login: Login, delivery: Delivery): Projection {
  const refreshFingerprint = login.refreshToken && fingerprintOf(login.refreshToken);
  const common = {
    fingerprint: fingerprintOf(login.accessToken),
    localRefreshFingerprint: refreshFingerprint,
  };
  switch (delivery) {
    case "access-token":
      return {
        ...common,
        block: withoutRefresh(login.block),
        validUntil: login.expiresAt,
        sentRefreshFingerprint: undefined,
      };
    case "full-login":
      return {
        ...common,
        block: login.block,
        validUntil: login.refreshTokenExpiresAt,
        sentRefreshFingerprint: refreshFingerprint,
      };
  }
}

const MAY_LEAVE = new Set([
  "accessToken",
  "expiresAt",
  "scopes",
  "subscriptionType",
  "rateLimitTier",
]);

function withoutRefresh(block: Secret): Secret {
  const fields: Record<string, unknown> = JSON.parse(block.reveal());
  const leaving = Object.entries(fields).filter(([name]) => MAY_LEAVE.has(name));
  return new Secret(JSON.stringify(Object.fromEntries(leaving)));
}
