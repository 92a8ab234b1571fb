import { fingerprintOf } from "../credentials/fingerprint.ts";
import type { Credentials, Login } from "../credentials/parse.ts";
import { bad, ok, warn } from "../diagnosis.ts";
import type { Check, Topic } from "../diagnosis.ts";
import { SyncCredsError } from "../errors.ts";
import type { ErrorCode } from "../errors.ts";
import { renderInstant } from "../output/time.ts";
import { describeMisfit } from "../validate/misfits.ts";
import { verifyLogin } from "../validate/validate.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const SOON_MS = 30 * MINUTE_MS;
const LOGIN_SOON_MS = 7 * DAY_MS;

/** How findings about a login are to be spoken of at the place where it lies. */
export interface Manner {
  /** Exit status of a login that is of no use. */
  readonly exit: number;
  /** What cures one that is missing, broken or over. */
  readonly cure: readonly string[];
  /** What renews one that is nearly over. */
  readonly renew: readonly string[];
  /** It must be fit as it is: nobody there is asked to renew it. */
  readonly mustBeFresh: boolean;
  /** The wrapper was seen to work with it, whatever its date says. */
  readonly isProven: boolean;
}

/** The causes `not saved`, `malformed` and `expired`, tested on one credentials file at `now` (epoch milliseconds). */
export function checkLogin(credentials: Credentials, now: number, manner: Manner): Check[] {
  const fault = faultOf(credentials, now, manner);
  const topic = fault === undefined ? undefined : TOPICS[fault.code];
  if (fault !== undefined && topic === "saved") return [ofFault(fault, "saved", manner)];
  const saved = ok("saved", savedAs(credentials));
  if (fault !== undefined && topic !== "expiry") return [saved, ofFault(fault, "form", manner)];
  if (credentials.kind !== "login") return [saved];
  const form = formOf(credentials, manner);
  if (fault === undefined) return [saved, form, datesOf(credentials.login, now, manner)];
  if (!manner.isProven) return [saved, form, ofFault(fault, "expiry", manner)];
  const what = `${fault.message} by its date, and yet the wrapper answers`;
  return [saved, form, warn("expiry", what, { exit: 15, cure: manner.renew, code: fault.code })];
}

/** A credentials file that is not there, or could not be read. */
export function checkNoLogin(error: SyncCredsError, manner: Pick<Manner, "exit">): Check {
  const { message, why, next, code } = error;
  const evidence = why === undefined ? [] : why.split("\n");
  return bad("saved", message, { evidence, cure: next, code, exit: manner.exit });
}

const TOPICS: Partial<Record<ErrorCode, Topic>> = {
  CREDENTIALS_NOT_FOUND: "saved",
  CREDENTIALS_UNREADABLE: "saved",
  CREDENTIALS_MCP_ONLY: "saved",
  CREDENTIALS_BLANKED: "saved",
  CREDENTIALS_EXPIRED: "expiry",
  CREDENTIALS_LOGIN_OVER: "expiry",
};

function faultOf(
  credentials: Credentials,
  now: number,
  { mustBeFresh }: Manner,
): SyncCredsError | undefined {
  if (credentials.kind !== "login") return describeMisfit(credentials);
  const { login } = credentials;
  const isRenewable = login.refreshToken !== undefined;
  // Claude Code wants no date of a token that nobody can renew (seen with 2.1.330).
  const isUndated = !isRenewable && login.expiresAt === undefined;
  const dated = isUndated
    ? { ...credentials, login: { ...login, expiresAt: now + DAY_MS } }
    : credentials;
  try {
    verifyLogin(dated, isRenewable && !mustBeFresh ? "full-login" : "access-token", now, {
      allowShortTtl: true,
    });
    return undefined;
  } catch (thrown) {
    if (thrown instanceof SyncCredsError) return thrown;
    throw thrown;
  }
}

function ofFault(fault: SyncCredsError, topic: Topic, { exit, cure, renew }: Manner): Check {
  const evidence = fault.why === undefined ? [] : [fault.why];
  const isOver = fault.code === "CREDENTIALS_EXPIRED";
  return bad(topic, fault.message, {
    evidence,
    cure: isOver ? renew : cure,
    code: fault.code,
    exit,
  });
}

function savedAs(credentials: Credentials): string {
  if (credentials.kind !== "login") return `${credentials.place} is there`;
  const { accessToken } = credentials.login;
  return `${accessToken === undefined ? "a login" : fingerprintOf(accessToken)} in ${credentials.place}`;
}

function formOf({ shape, place }: Extract<Credentials, { kind: "login" }>, manner: Manner): Check {
  if (shape === "wrapped") return ok("form", "as Claude Code writes it, with `user:inference`");
  return bad("form", `${place} has no \`claudeAiOauth\` around its login`, {
    evidence: ["Claude Code takes such a file for no login: `Not logged in · Please run /login`"],
    cure: manner.cure,
    code: "CREDENTIALS_MALFORMED",
    exit: manner.exit,
  });
}

function datesOf(login: Login, now: number, { renew, cure }: Manner): Check {
  const { expiresAt, refreshToken, refreshTokenExpiresAt } = login;
  const loginEnds = refreshToken === undefined ? undefined : refreshTokenExpiresAt;
  const until =
    expiresAt === undefined
      ? "the token has no date; nobody knows when it ends"
      : `access token ${expiresAt > now ? "until" : "over since"} ${renderInstant(expiresAt, now)}`;
  const login30 = loginEnds === undefined ? "" : `, login until ${renderInstant(loginEnds, now)}`;
  const what = `${until}${login30}`;
  if (loginEnds !== undefined && loginEnds - now < LOGIN_SOON_MS) {
    return warn("expiry", `${what}: log in again before that`, { cure, exit: 15 });
  }
  if (refreshToken === undefined && expiresAt !== undefined && expiresAt - now < SOON_MS) {
    return warn("expiry", what, { cure: renew, code: "CREDENTIALS_EXPIRING", exit: 15 });
  }
  return ok(
    "expiry",
    expiresAt !== undefined && expiresAt <= now
      ? `${what}; Claude Code renews it when it is asked`
      : what,
  );
}
