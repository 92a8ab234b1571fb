import type { Credentials } from "../credentials/parse.ts";
import { SyncCredsError } from "../errors.ts";
import { LOG_IN } from "./misfits.ts";
import { RENEWAL_LEAD_MS, verifyLogin } from "./validate.ts";
import type { FitLogin } from "./validate.ts";

/**
 * The login in a credentials file, if Claude Code can renew it at `now` (epoch milliseconds). Errors: the states of
 * such a file that no renewal cures, by their codes `CREDENTIALS_…`.
 */
export function verifyRenewableLogin(credentials: Credentials, now: number): FitLogin {
  if (credentials.kind === "login") {
    const { accessToken, refreshToken } = credentials.login;
    if (accessToken !== undefined && refreshToken === undefined) {
      throw new SyncCredsError("CREDENTIALS_NOT_RENEWABLE", "nothing can renew this login", {
        why: `${credentials.place} has no refresh token: it holds a setup token, or what was pushed there`,
        next: [LOG_IN],
      });
    }
  }
  return verifyLogin(credentials, "full-login", now).login;
}

/** From when on Claude Code would renew a login, epoch milliseconds. */
export function renewalDueAt({ expiresAt }: Pick<FitLogin, "expiresAt">): number {
  return expiresAt - RENEWAL_LEAD_MS;
}

/** Whether Claude Code would renew this login if it were asked at `now`. */
export function isRenewalDue(credentials: Credentials, now: number): boolean {
  try {
    return renewalDueAt(verifyRenewableLogin(credentials, now)) <= now;
  } catch {
    return false;
  }
}
