import type { Credentials, Login } from "../credentials/parse.ts";
import { SyncCredsError } from "../errors.ts";
import type { Delivery } from "../hosts/host.ts";
import type { Secret } from "../secret.ts";
import { describeMisfit, LOG_IN } from "./misfits.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** With less to live an access token is hardly worth a restart. */
const SHORT_TTL_MS = 30 * MINUTE_MS;
/** Claude Code renews a login only when its access token has this long to live. */
export const RENEWAL_LEAD_MS = 5 * MINUTE_MS;
const DEADLINE_WARNING_MS = 7 * DAY_MS;
/** A positive instant below this is one in seconds: in milliseconds it would be in 1973. */
const FIRST_MILLISECONDS = 1e11;
const BEYOND_BELIEF = Date.UTC(2090, 0, 1);

/** A login that Claude Code on a host could use. */
export interface FitLogin extends Login {
  readonly accessToken: Secret;
  readonly expiresAt: number;
}

export interface Leniency {
  /** Let an access token pass that ends within half an hour. */
  readonly allowShortTtl?: boolean;
}

/**
 * The login in a credentials file, if it is worth sending by this delivery at `now` (epoch milliseconds),
 * with what the user should know of it. Errors: every other state of such a file, by its own code
 * `CREDENTIALS_…`.
 */
export function verifyLogin(
  credentials: Credentials,
  delivery: Delivery,
  now: number,
  { allowShortTtl = false }: Leniency = {},
): { login: FitLogin; notes: string[] } {
  if (credentials.kind !== "login") throw describeMisfit(credentials);
  const login = verifyUsable(credentials.login, credentials.place);
  verifyDeadline(login, now);
  if (delivery === "full-login") verifyRenewable(login, credentials.place);
  else verifyLifetime(login, now, allowShortTtl);
  return { login, notes: [...noteForm(credentials), ...noteTimes(login, now)] };
}

function verifyUsable(login: Login, place: string): FitLogin {
  const { accessToken, expiresAt, refreshTokenExpiresAt, scopes } = login;
  if (accessToken === undefined || expiresAt === 0) {
    throw new SyncCredsError("CREDENTIALS_BLANKED", `the login in ${place} was cleared`, {
      why: "Claude Code empties it after its renewal was refused, for instance when another machine used the same refresh token",
      next: [LOG_IN],
    });
  }
  if (!scopes.includes("user:inference")) {
    throw new SyncCredsError("CREDENTIALS_NO_INFERENCE", "this login may not ask Claude anything", {
      why: `the scope \`user:inference\` is missing in ${place}; Claude Code calls that not logged in`,
      next: [LOG_IN],
    });
  }
  if (expiresAt === undefined) {
    throw new SyncCredsError(
      "CREDENTIALS_MALFORMED",
      `${place} does not say when its login expires`,
      {
        why: "`expiresAt` is missing, as some versions of Claude Code left it (2.1.224 to 2.1.226)",
        next: ["Update Claude Code: `claude update`", LOG_IN],
      },
    );
  }
  const instants = [expiresAt, refreshTokenExpiresAt ?? 0];
  if (instants.some((at) => at > 0 && at < FIRST_MILLISECONDS)) {
    throw new SyncCredsError("CREDENTIALS_MALFORMED", `${place} counts time in seconds`, {
      why: "Claude Code counts in milliseconds: another program wrote this file",
      next: [LOG_IN],
    });
  }
  if (login.isPlaceholder || instants.some((at) => at >= BEYOND_BELIEF)) {
    throw new SyncCredsError("CREDENTIALS_PLACEHOLDER", `the login in ${place} is a stand-in`, {
      why: login.isPlaceholder
        ? "its token is a made-up word; a proxy on this laptop puts the real one in its place"
        : "it claims to be valid beyond the year 2090; only proxies write such a date",
      next: ["Push from where the real login is, or log in without the proxy"],
    });
  }
  return { ...login, accessToken, expiresAt };
}

function verifyDeadline({ refreshToken, refreshTokenExpiresAt }: FitLogin, now: number): void {
  if (refreshToken === undefined || refreshTokenExpiresAt === undefined) return;
  if (refreshTokenExpiresAt > now) return;
  throw new SyncCredsError("CREDENTIALS_LOGIN_OVER", "this login has reached its time limit", {
    why: `it ended ${renderSpan(now - refreshTokenExpiresAt)} ago, 30 days after you logged in; no renewal extends that`,
    next: [LOG_IN],
  });
}

function verifyRenewable({ refreshToken }: FitLogin, place: string): void {
  if (refreshToken !== undefined) return;
  throw new SyncCredsError("CREDENTIALS_NOT_RENEWABLE", "there is no whole login to hand over", {
    why: `delivery \`full-login\` needs a refresh token, and ${place} has none`,
    next: [LOG_IN, 'Or set `"delivery": "access-token"` for the host in hosts.json'],
  });
}

function verifyLifetime(login: FitLogin, now: number, allowShortTtl: boolean): void {
  const { expiresAt, refreshToken } = login;
  const leftMs = expiresAt - now;
  if (leftMs <= 0) {
    const isRenewable = refreshToken !== undefined;
    throw new SyncCredsError("CREDENTIALS_EXPIRED", "the access token has expired", {
      why: `it ended ${renderSpan(-leftMs)} ago${isRenewable ? "" : ", and without a refresh token nothing can renew it"}`,
      next: isRenewable
        ? [
            "Let Claude Code renew it: `sync-creds refresh`, then push again",
            "Or let the push do that: `--refresh auto`",
          ]
        : [LOG_IN],
    });
  }
  if (leftMs >= SHORT_TTL_MS || allowShortTtl) return;
  throw new SyncCredsError("CREDENTIALS_EXPIRING", "the access token is about to expire", {
    why: `it ends in ${renderSpan(leftMs)}; the host would be logged out then`,
    next: [
      ...(refreshToken === undefined ? [] : [adviseRenewal(leftMs)]),
      "For a token with its full time right now: run `claude` and type `/login`, then push again",
      "Or push it for the time it has: add `--allow-short-ttl`",
    ],
  });
}

/** Asked sooner, Claude Code would answer with the old token and renew nothing. */
function adviseRenewal(leftMs: number): string {
  const waitMs = leftMs - RENEWAL_LEAD_MS;
  const when = waitMs > 0 ? `In ${renderSpan(waitMs + MINUTE_MS)}, run` : "Run";
  return `${when} \`sync-creds refresh\`, then push again: Claude Code renews a login in its last 5 minutes`;
}

function noteForm({ place, shape, hex }: Extract<Credentials, { kind: "login" }>): string[] {
  const notes: string[] = [];
  if (shape === "flat") {
    notes.push(
      `${place} has no \`claudeAiOauth\` around its login, so Claude Code itself does not read it; hosts get it in the proper form`,
    );
  }
  if (hex)
    notes.push(`${place} is in hexadecimal digits, as the Keychain prints it, and was decoded`);
  return notes;
}

function noteTimes(
  { expiresAt, refreshToken, refreshTokenExpiresAt }: FitLogin,
  now: number,
): string[] {
  const notes: string[] = [];
  if (expiresAt <= now) {
    notes.push("the access token has expired; the host renews it when it is first asked");
  }
  if (refreshToken !== undefined && refreshTokenExpiresAt !== undefined) {
    const leftMs = refreshTokenExpiresAt - now;
    if (leftMs <= DEADLINE_WARNING_MS) {
      notes.push(
        `this login ends in ${renderSpan(leftMs)}: before that, run \`claude\` and type \`/login\``,
      );
    }
  }
  return notes;
}

/** A span in its largest unit that leaves more than one: `3 days`, `47 min`. Rounded down. */
function renderSpan(milliseconds: number): string {
  const minutes = Math.floor(milliseconds / MINUTE_MS);
  if (minutes < 1) return "less than a minute";
  if (minutes < 120) return `${minutes} min`;
  return minutes < 48 * 60 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1440)} days`;
}
