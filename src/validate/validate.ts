import type { Credentials, Login, OtherShape } from "../credentials/schema.ts";
import { SyncCredsError } from "../errors.ts";
import type { ErrorCode } from "../errors.ts";
import type { Delivery } from "../hosts/host.ts";

export interface Leniency {
  /** Let an access token pass that ends within 30 minutes. */
  readonly allowShortTtl: boolean;
}

/** A login that is worth sending, and remarks about it. */
export interface Verified {
  readonly login: Login;
  readonly notes: readonly string[];
}

/**
 * Lets through a login that a host can use for a while, and names every other state with its next step. Nothing is sent
 * of a login that does not pass. Errors: the `CREDENTIALS_…` codes.
 */
export function verifyLogin(
  credentials: Credentials,
  delivery: Delivery,
  now: number,
  { allowShortTtl }: Leniency,
): Verified {
  if (credentials.shape === "wrong-type") {
    throw new SyncCredsError(
      "CREDENTIALS_MALFORMED",
      "the local login has a field of the wrong type",
      {
        why: `${credentials.path} is not what Claude Code writes (expected: ${credentials.expected})`,
        next: [LOG_IN],
      },
    );
  }
  if (credentials.shape !== "login") throw notALogin(credentials.shape);

  const { login, isFlat } = credentials;
  verifyTokens(login);
  verifyScopes(login);
  verifyLoginTime(login, now);
  if (delivery === "full-login") verifyRenewable(login);
  else verifyAccessTime(login, now, allowShortTtl);
  return { login, notes: [...flatNote(isFlat), ...loginNote(login, now)] };
}

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const SHORTEST_TTL = 30 * MINUTE;
const LOGIN_WARNING = 7 * DAY;
/** Instants before 1973 in milliseconds are after 1973 in seconds. */
const LATEST_SECONDS = 1e11;
/** No login lasts that long: proxies put such dates beside their placeholders. */
const ABSURDLY_LATE = Date.UTC(2090, 0);

const LOG_IN = "Log in on this laptop: `claude`, then `/login`; then push again";
const RENEW = "Let Claude Code renew it: run `claude -p hi` here; then push again";

function verifyTokens({ accessToken, refreshToken, expiresAt }: Login): void {
  const token = accessToken.reveal();
  if (token === "" || expiresAt === 0) {
    throw new SyncCredsError("CREDENTIALS_BLANKED", "the local login has been blanked", {
      why: "Claude Code empties the tokens when the service refuses to renew them: this laptop is logged out",
      next: [LOG_IN],
    });
  }
  if (
    isPlaceholder(token) ||
    (refreshToken !== undefined && isPlaceholder(refreshToken.reveal())) ||
    (expiresAt ?? 0) >= ABSURDLY_LATE
  ) {
    throw new SyncCredsError("CREDENTIALS_PLACEHOLDER", "the local login is a placeholder", {
      why: "a proxy or gateway on this laptop puts the real token in later; a host has no such proxy",
      next: ["Push from where the real login is, or log in without the proxy"],
    });
  }
  if (/[^\x21-\x7e]/.test(token)) {
    throw new SyncCredsError("CREDENTIALS_MALFORMED", "the local access token is damaged", {
      why: "it holds characters that no token has",
      next: [LOG_IN],
    });
  }
  if (expiresAt !== undefined && expiresAt < LATEST_SECONDS) {
    throw new SyncCredsError("CREDENTIALS_MALFORMED", "the local login counts in seconds", {
      why: "Claude Code writes `expiresAt` in milliseconds: another program wrote this file",
      next: [LOG_IN],
    });
  }
}

function isPlaceholder(token: string): boolean {
  return /placeholder|proxy|injected|dummy|redacted|example|your[-_]?token/i.test(token);
}

/** Since Claude Code 2.1.81 a login without this scope counts as no login. */
function verifyScopes({ scopes }: Login): void {
  if (scopes?.includes("user:inference") === true) return;
  throw new SyncCredsError(
    "CREDENTIALS_NO_INFERENCE",
    "the local login may not talk to the model",
    {
      why:
        scopes === undefined
          ? "it names no scopes, and Claude Code takes such a login for none"
          : "its scopes lack `user:inference`",
      next: [LOG_IN],
    },
  );
}

function verifyLoginTime({ refreshTokenExpiresAt }: Login, now: number): void {
  if (refreshTokenExpiresAt === undefined || refreshTokenExpiresAt > now) return;
  throw new SyncCredsError("CREDENTIALS_LOGIN_OVER", "the local login has reached its end", {
    why: "a login lasts 30 days, however often it is renewed",
    next: [LOG_IN],
  });
}

function verifyAccessTime(login: Login, now: number, allowShortTtl: boolean): void {
  const { expiresAt, refreshToken } = login;
  if (expiresAt === undefined) {
    throw new SyncCredsError("CREDENTIALS_MALFORMED", "the local login does not say when it ends", {
      why: "`expiresAt` is missing, as some versions of Claude Code left it",
      next: [LOG_IN],
    });
  }
  if (expiresAt <= now) {
    throw new SyncCredsError("CREDENTIALS_EXPIRED", "the local access token has expired", {
      why: `it ended ${minutes(now - expiresAt)} ago`,
      next: [refreshToken === undefined ? LOG_IN : RENEW],
    });
  }
  if (expiresAt - now < SHORTEST_TTL && !allowShortTtl) {
    throw new SyncCredsError("CREDENTIALS_EXPIRING", "the local access token is about to expire", {
      why: `it ends in ${minutes(expiresAt - now)}; the host could use it no longer than that`,
      next: [
        "Claude Code renews it about five minutes before its end: use `claude` then, and push again",
        "Or push it as it is: `--allow-short-ttl`",
      ],
    });
  }
}

function verifyRenewable({ refreshToken }: Login): void {
  if (refreshToken !== undefined) return;
  throw new SyncCredsError("CREDENTIALS_MALFORMED", "the local login cannot be handed over", {
    why: "it has no refresh token, and `full-login` is about handing that over",
    next: ['Set `"delivery": "access-token"` in hosts.json', LOG_IN],
  });
}

function notALogin(shape: OtherShape): SyncCredsError {
  const [code, what, why, next] = OTHER[shape];
  return new SyncCredsError(code, what, { why, next: [next ?? LOG_IN] });
}

const NOT_OURS = "Claude Code did not write this file";
const OTHER: Readonly<Record<OtherShape, readonly [ErrorCode, string, string, string?]>> = {
  empty: ["CREDENTIALS_MALFORMED", "the local credentials file is empty", "a write was cut short"],
  "byte-order-mark": [
    "CREDENTIALS_MALFORMED",
    "the local credentials file starts with a byte order mark",
    "an editor put it there; Claude Code itself takes such a file for no login",
    "Save it as UTF-8 without BOM, or log in again: `claude`, then `/login`",
  ],
  "not-utf8": ["CREDENTIALS_MALFORMED", "the local credentials file is not UTF-8", NOT_OURS],
  "half-written": [
    "CREDENTIALS_MALFORMED",
    "the local credentials file is cut off",
    "it ends in the middle; Claude Code may have been killed while it wrote",
  ],
  "not-json": ["CREDENTIALS_MALFORMED", "the local credentials file is not JSON", NOT_OURS],
  hex: [
    "CREDENTIALS_MALFORMED",
    "the local credentials file holds hex digits",
    "macOS prints Keychain items like that; decode it first",
    "Decode it: `xxd -r -p FILE`, or log in again: `claude`, then `/login`",
  ],
  "not-an-object": [
    "CREDENTIALS_MALFORMED",
    "the local credentials file holds no object",
    NOT_OURS,
  ],
  "snake-case": [
    "CREDENTIALS_MALFORMED",
    "the local file is a login of another product",
    "`access_token` and seconds are what the Anthropic API profile uses, not Claude Code",
  ],
  "foreign-key": [
    "CREDENTIALS_MALFORMED",
    "the local login stands under a foreign name",
    "`claude_ai_oauth` is what a third-party tool writes; Claude Code reads `claudeAiOauth`",
  ],
  "mcp-only": [
    "CREDENTIALS_MCP_ONLY",
    "the local credentials file holds only logins of MCP servers",
    "there is no `claudeAiOauth` in it: this laptop is not logged in to Claude",
  ],
  "api-key": [
    "CREDENTIALS_NOT_FOUND",
    "this laptop uses an API key, not a login",
    "`primaryApiKey` is a Console key; it has no place in a credentials file",
  ],
  "no-login": [
    "CREDENTIALS_NOT_FOUND",
    "the local credentials file holds no Claude login",
    "there is no `claudeAiOauth` in it",
  ],
};

function flatNote(isFlat: boolean): string[] {
  return isFlat
    ? [
        "the local file lacks `claudeAiOauth` around the login: Claude Code here does not read it; the host gets the right shape",
      ]
    : [];
}

function loginNote({ refreshTokenExpiresAt }: Login, now: number): string[] {
  if (refreshTokenExpiresAt === undefined || refreshTokenExpiresAt - now > LOGIN_WARNING) return [];
  const days = Math.floor((refreshTokenExpiresAt - now) / DAY);
  const when = days === 0 ? "today" : days === 1 ? "in one day" : `in ${days} days`;
  return [`the login itself ends ${when}: \`claude\`, then \`/login\`, renews it`];
}

function minutes(milliseconds: number): string {
  const count = Math.max(1, Math.round(milliseconds / MINUTE));
  return count >= 120 ? `${Math.round(count / 60)} hours` : `${count} min`;
}
