import { fingerprintOf } from "../credentials/fingerprint.ts";
import { SyncCredsError } from "../errors.ts";
import { Secret } from "../secret.ts";
import { setupTokenEndsAt } from "../tokens/lifetime.ts";
import type { Projection } from "./project.ts";

/** A token or key as a delivery sends it. */
export interface TokenProjection extends Omit<Projection, "block"> {
  /** The `claudeAiOauth` block that carries a setup token; an API key has none. */
  readonly block?: Secret;
  readonly value: Secret;
}

/**
 * A setup token for a host: its block has no refresh token, so Claude Code never rewrites the file, and says
 * `user:inference`, without which it would count as no login (seen with 2.1.330). `issuedAt` in epoch
 * milliseconds, where it is known. Error: `SECRET_UNFIT`.
 */
export function projectSetupToken(
  token: Secret,
  issuedAt: number | undefined,
  now: number,
): TokenProjection {
  const text = token.reveal();
  if (!/^sk-ant-oat\d\d-[\w-]{8,}$/.test(text)) {
    throw unfit("this is no setup token", `it is ${kindOf(text)}`, [
      "Make one with `claude setup-token`, then `sync-creds token set NAME`",
      ...(text.startsWith("sk-ant-api") ? ['Or set `"delivery": "api-key"` in hosts.json'] : []),
    ]);
  }
  const expiresAt = issuedAt === undefined ? undefined : setupTokenEndsAt(issuedAt);
  if (expiresAt !== undefined && expiresAt <= now) {
    throw unfit("this setup token is over a year old", "it ended 365 days after its issue", [
      "Make a new one with `claude setup-token`, then `sync-creds token set NAME`",
    ]);
  }
  const block = {
    accessToken: text,
    ...(expiresAt === undefined ? {} : { expiresAt }),
    scopes: ["user:inference"],
  };
  return {
    block: new Secret(JSON.stringify(block)),
    value: token,
    fingerprint: fingerprintOf(token),
    ...(expiresAt === undefined ? {} : { validUntil: expiresAt }),
  };
}

/**
 * An API key for a host. A token of a login or of `setup-token` is none: Claude Code sends what a key variable or a
 * helper holds without the header that such a token needs. Error: `SECRET_UNFIT`.
 */
export function projectApiKey(key: Secret): TokenProjection {
  const text = key.reveal();
  const isToken = /^sk-ant-o[ar]t/.test(text);
  // Whatever reads an env file takes these characters for themselves.
  if (isToken || !/^[A-Za-z0-9._~+/=:@-]{8,}$/.test(text)) {
    throw unfit("this is no API key", `it is ${isToken ? kindOf(text) : "not one word"}`, [
      "Make a key in the Console of Anthropic, then `sync-creds token set NAME`",
      ...(isToken ? ['For a token of `claude setup-token`: `"delivery": "setup-token"`'] : []),
    ]);
  }
  return { value: key, fingerprint: fingerprintOf(key) };
}

function kindOf(text: string): string {
  if (text.startsWith("sk-ant-api")) return "an API key";
  if (text.startsWith("sk-ant-ort")) return "the refresh token of a login, which must not leave it";
  if (text.startsWith("sk-ant-oat")) return "an OAuth token";
  return "something else";
}

function unfit(what: string, why: string, next: string[]): SyncCredsError {
  return new SyncCredsError("SECRET_UNFIT", what, { why, next });
}
