import { fingerprintOf } from "../credentials/fingerprint.ts";
import type { Credentials } from "../credentials/parse.ts";

/** The login that this user's Claude Code goes by, or what stands in its place. */
export interface Located {
  /** How messages name the place: `~/.claude/.credentials.json`, `the Keychain`. */
  readonly label: string;
  readonly credentials: Credentials;
  /** What the user should know of it besides; whole sentences without a period. */
  readonly notes: readonly string[];
}

/** Only proxies date a token like that: it must not win against a real one. */
const BEYOND_BELIEF = Date.UTC(2090, 0, 1);

/** Whether a place holds no login at all; a broken or blanked one is one. */
export function holdsNoLogin({ kind }: Credentials): boolean {
  return kind === "mcp-only" || kind === "api-key-only" || kind === "no-login";
}

/**
 * For comparing places at `now`: when the access token of a usable login ends, epoch milliseconds; 0 for one that Claude
 * Code could not use or renew, -1 where there is none.
 */
export function worthOf(credentials: Credentials, now: number): number {
  if (holdsNoLogin(credentials)) return -1;
  if (credentials.kind !== "login") return 0;
  const { login } = credentials;
  const { accessToken, expiresAt = 0, refreshToken, refreshTokenExpiresAt, scopes } = login;
  const isOver =
    refreshToken !== undefined &&
    refreshTokenExpiresAt !== undefined &&
    refreshTokenExpiresAt <= now;
  const isUsable =
    accessToken !== undefined &&
    scopes.includes("user:inference") &&
    !login.isPlaceholder &&
    !isOver &&
    expiresAt < BEYOND_BELIEF;
  return isUsable ? Math.max(expiresAt, 0) : 0;
}

/** What a place holds, as the object of a sentence: by fingerprint and date, never a secret. */
export function describeHolding(credentials: Credentials, now: number): string {
  if (holdsNoLogin(credentials)) return "no login of Claude Code";
  if (credentials.kind !== "login") return "something that cannot be read as a login";
  const { accessToken, expiresAt } = credentials.login;
  if (accessToken === undefined || expiresAt === 0) return "a login that was cleared";
  const fingerprint = fingerprintOf(accessToken);
  if (expiresAt === undefined || worthOf(credentials, now) === 0) {
    return `${fingerprint}, which is of no use`;
  }
  return `${fingerprint}, ${expiresAt > now ? "valid until" : "over since"} ${minuteOf(expiresAt)}`;
}

/** Local time, as elsewhere. */
function minuteOf(at: number): string {
  // Swedish has the year first, and 24 hours.
  return new Date(at).toLocaleString("sv-SE", { dateStyle: "short", timeStyle: "short" });
}
