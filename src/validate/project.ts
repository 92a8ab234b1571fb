import { fingerprintOf } from "../credentials/fingerprint.ts";
import type { Delivery } from "../hosts/host.ts";
import { Secret } from "../secret.ts";
import type { FitLogin } from "./validate.ts";

/** What may leave this laptop, and what it is called. */
export interface Projection {
  /** JSON text of the value of `claudeAiOauth`. */
  readonly block: Secret;
  /** Of the access token. */
  readonly fingerprint: string;
  /** When the host must log in anew or be served again; epoch milliseconds. */
  readonly validUntil?: number;
  /** Fingerprint of this laptop's refresh token, be it sent or not. */
  readonly localRefreshFingerprint?: string;
  /** Fingerprint of the refresh token that leaves with the block. */
  readonly sentRefreshFingerprint?: string;
}

/** All that an access token needs beside it; scopes, or Claude Code takes it for no login (seen with 2.1.330). */
const ACCESS_KEYS = new Set([
  "accessToken",
  "expiresAt",
  "scopes",
  "subscriptionType",
  "rateLimitTier",
]);

/** The part of a login that a delivery sends: never more than its allow-list, or the whole on purpose. */
export function projectLogin(login: FitLogin, delivery: Delivery): Projection {
  const { accessToken, refreshToken, expiresAt, refreshTokenExpiresAt } = login;
  const fingerprint = fingerprintOf(accessToken);
  const refresh = refreshToken === undefined ? undefined : fingerprintOf(refreshToken);
  const local = refresh === undefined ? {} : { localRefreshFingerprint: refresh };
  if (delivery === "access-token") {
    return { block: pickAccess(login), fingerprint, validUntil: expiresAt, ...local };
  }
  return {
    block: login.block,
    fingerprint,
    ...local,
    // The host renews the access token by itself, so only the login deadline counts.
    ...(refreshTokenExpiresAt === undefined ? {} : { validUntil: refreshTokenExpiresAt }),
    ...(refresh === undefined ? {} : { sentRefreshFingerprint: refresh }),
  };
}

function pickAccess({ block }: FitLogin): Secret {
  const fields: Record<string, unknown> = JSON.parse(block.reveal());
  const leaving = Object.entries(fields).filter(([key]) => ACCESS_KEYS.has(key));
  return new Secret(JSON.stringify(Object.fromEntries(leaving)));
}
