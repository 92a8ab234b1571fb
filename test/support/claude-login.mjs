// The stored login of the stand-in claude.mjs: read as the client reads it, renewed and blanked as the client does it,
// with STANDIN_TOKEN_SERVER in the place of Anthropic's; without that variable no login is ever renewed.
import { mkdirSync, readFileSync, renameSync, rmdirSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export const SESSION_OVER =
  "Failed to authenticate: OAuth session expired and could not be refreshed";
const DUE_MS = 5 * 60_000;
const LOCK_STALE_MS = 60_000;
const LOCK_PATIENCE_MS = 8_000;

export const configDir =
  process.env.CLAUDE_CONFIG_DIR || join(process.env.HOME || homedir(), ".claude");
const credentialsPath = join(configDir, ".credentials.json");
const server = process.env.STANDIN_TOKEN_SERVER;

/** The login on the disk, a blanked one too; `undefined` for what the client takes for none. */
export function readLogin() {
  const login = readJson(credentialsPath)?.claudeAiOauth;
  const mayInfer = Array.isArray(login?.scopes) && login.scopes.includes("user:inference");
  return mayInfer && typeof login.accessToken === "string" ? login : undefined;
}

/** A login with a refresh token is renewed five minutes before its end, and when it is refused. */
export async function tryLogin(login) {
  const isDue = typeof login.expiresAt === "number" && login.expiresAt - Date.now() < DUE_MS;
  if (isDue && mayRenew(login)) return tryRenewed(login);
  const verdict = await judge(login.accessToken);
  const isRefused = ["invalid", "expired", "revoked"].includes(verdict);
  return isRefused && mayRenew(login) ? tryRenewed(login) : refusalOf(verdict);
}

function mayRenew({ refreshToken }) {
  return Boolean(refreshToken) && server !== undefined;
}

async function tryRenewed(old) {
  const locks = [join(configDir, ".oauth_refresh.lock"), `${configDir}.lock`];
  const held = [];
  try {
    for (const lock of locks) {
      // After some seconds the client asks with what it has.
      if (!(await take(lock))) return refusalOf(await judge(old.accessToken));
      held.push(lock);
    }
    // Another process may have renewed it, or logged in anew, while this one waited.
    const login = readLogin();
    if (!login?.accessToken) return SESSION_OVER;
    if (login.accessToken !== old.accessToken) return refusalOf(await judge(login.accessToken));
    const renewed = await renew(login);
    saveLogin(renewed ?? { ...login, accessToken: "", refreshToken: "", expiresAt: 0 });
    return renewed === undefined ? SESSION_OVER : refusalOf(await judge(renewed.accessToken));
  } finally {
    for (const lock of held.toReversed()) rmdirSync(lock);
  }
}

/** Waits for a lock: a directory that its holder touches every few seconds. One not touched for a minute is nobody's. */
async function take(lock) {
  const giveUpAt = Date.now() + LOCK_PATIENCE_MS;
  for (;;) {
    try {
      mkdirSync(lock);
      return true;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    const touchedAt = statSync(lock, { throwIfNoEntry: false })?.mtimeMs;
    if (touchedAt !== undefined && Date.now() - touchedAt > LOCK_STALE_MS) rmdirSync(lock);
    else if (Date.now() > giveUpAt) return false;
    else await sleep(50);
  }
}

/** The login with new tokens; `undefined` when the server refuses the refresh token. */
async function renew(login) {
  const reply = await fetch(`${server}/v1/oauth/token`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ grant_type: "refresh_token", refresh_token: login.refreshToken }),
  });
  if (!reply.ok) return undefined;
  const { access_token: accessToken, refresh_token, expires_in, scope } = await reply.json();
  const expiresAt = Date.now() + expires_in * 1000;
  const refreshToken = refresh_token ?? login.refreshToken;
  return { ...login, accessToken, refreshToken, expiresAt, scopes: scope.split(" ") };
}

/** Whole or not at all, private, every other key kept. A link becomes a file, as with the real client. */
function saveLogin(login) {
  const text = JSON.stringify({ ...readJson(credentialsPath), claudeAiOauth: login });
  writeFileSync(`${credentialsPath}.tmp.${process.pid}`, text, { mode: 0o600 });
  renameSync(`${credentialsPath}.tmp.${process.pid}`, credentialsPath);
}

/** What the API says of an OAuth token. */
export async function judge(token) {
  if (server === undefined) return judgeByWord(token);
  const headers = { authorization: `Bearer ${token}` };
  const reply = await fetch(`${server}/v1/messages`, { method: "POST", headers });
  return (await reply.json()).verdict;
}

export async function judgeByWord(token) {
  if (token.includes("SLOW")) await sleep(4000);
  if (token.includes("BAD")) return "invalid";
  if (token.includes("EXPIRED")) return "expired";
  if (token.includes("REVOKED")) return "revoked";
  return token.includes("LIMIT") ? "limit" : "ok";
}

export function refusalOf(verdict) {
  return {
    ok: undefined,
    invalid: "Failed to authenticate. API Error: 401 Invalid bearer token",
    expired:
      "Failed to authenticate. API Error: 401 OAuth token has expired. Please obtain a new token or refresh your existing token.",
    revoked:
      "Failed to authenticate: OAuth token revoked. Please log in again or contact your administrator.",
    limit: "You've hit your session limit · resets 3:45pm",
  }[verdict];
}

/** A file's JSON object; `undefined` for what the client would not take for one either. */
export function readJson(path) {
  try {
    const value = JSON.parse(readFileSync(path, "utf8"));
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
