import { isObject, parseJsonText } from "../credentials/json-text.ts";
import { describeHostLogin } from "./changes.ts";

/**
 * Why the login in a credentials file is known to be dead at `now` (epoch milliseconds); undefined when it may live, or
 * when there is none.
 */
export function whyDead(file: Buffer, now: number): string | undefined {
  const login = describeHostLogin(file);
  if (login.state === "blanked") return "its login is blanked: it was signed out";
  if (login.state !== "login") return undefined;
  const deadline = deadlineIn(file);
  if (login.refreshFingerprint !== undefined) {
    return deadline !== undefined && deadline <= now
      ? "its login has reached its deadline and cannot be renewed"
      : undefined;
  }
  return login.expiresAt !== undefined && login.expiresAt <= now
    ? "its access token has expired, and it has no refresh token"
    : undefined;
}

function deadlineIn(file: Buffer): number | undefined {
  const json = parseJsonText(file);
  if (json.kind !== "json" || !isObject(json.value)) return undefined;
  const block = json.value["claudeAiOauth"];
  const deadline = isObject(block) ? block["refreshTokenExpiresAt"] : undefined;
  return typeof deadline === "number" ? deadline : undefined;
}
