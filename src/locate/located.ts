import { fingerprintOf } from "../credentials/fingerprint.ts";
import type { Credentials, Login } from "../credentials/parse.ts";
import type { FileSnapshot } from "../ports.ts";

/** A login, or what stands in its place, as it was found. */
export interface Located {
  /** How messages name the place. */
  readonly label: string;
  readonly credentials: Credentials;
  /** The file; the Keychain has none. */
  readonly path?: string;
  /** The file as it was read, without its bytes: enough to see later whether it has changed. */
  readonly snapshot?: Omit<FileSnapshot, "bytes">;
  /** What the user should know of the place besides; whole sentences without a period. */
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
  if (credentials.kind !== "login") return "something that is no credentials file";
  const { accessToken, expiresAt } = credentials.login;
  if (accessToken === undefined || expiresAt === 0) return "a login that was cleared";
  const until = expiresAt === undefined ? "" : `, ${describeEnd(expiresAt, now)}`;
  const isRejected = worthOf(credentials, now) === 0;
  return `${fingerprintOf(accessToken)}${until}${isRejected ? ", which is of no use" : ""}`;
}

/** As `describeHolding`, for a place beside the one that was used. */
export function describeOther(other: Located, used: Located, now: number): string {
  const [token, tokenUsed] = [tokenOf(other), tokenOf(used)];
  if (token !== undefined && tokenUsed?.equals(token) === true) return "the same login";
  return describeHolding(other.credentials, now);
}

function tokenOf({ credentials }: Located): Login["accessToken"] {
  return credentials.kind === "login" ? credentials.login.accessToken : undefined;
}

function describeEnd(at: number, now: number): string {
  // Swedish writes year, month, day, and 24 hours.
  const minute = new Date(at).toLocaleString("sv-SE", { dateStyle: "short", timeStyle: "short" });
  return at > now ? `valid until ${minute}` : `expired since ${minute}`;
}
