// A stand-in for Claude Code as `claude -p … --output-format json` treats its login: it renews in the last five minutes
// of an access token, or when that is rejected, by writing a new file in the old one's place; a refused renewal blanks
// the login (all seen with 2.1.330, renewals with 2.0.5 too, against an API of our own); what outranks the login is used in its place. Usage: node renewing-claude.mjs MODE …arguments of claude
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const [mode, ...argv] = process.argv.slice(2);
const here = import.meta.dirname;
const config = process.env.CLAUDE_CONFIG_DIR || join(process.env.HOME, ".claude");
const path = join(config, ".credentials.json");
const NAMES = [
  "ANTHROPIC_AUTH_TOKEN",
  "ANTHROPIC_API_KEY",
  "CLAUDE_CODE_OAUTH_TOKEN",
  "CLAUDE_CODE_USE_BEDROCK",
];
const outranking = NAMES.filter((name) => process.env[name]);
const signals = [];
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(name, () => signals.push(name));

const failure = await answer();
appendFileSync(
  join(here, "calls.jsonl"),
  `${JSON.stringify({ argv, outranking, cwd: process.cwd(), signals })}\n`,
);
process.exit(failure ? 1 : 0);

async function answer() {
  if (mode === "silent") return false;
  if (outranking.length > 0 || mode === "ignores-the-login" || settingsOutrank()) return say("ok");
  const login = readLogin();
  if (!login?.scopes || !login.accessToken) return say("Not logged in · Please run /login", true);
  if (mode === "unreachable") return say("Unable to connect to API (ECONNREFUSED)", true);
  if (mode === "hostile") {
    return say(
      `\u001B]0;title\u0007\u001B[31mOverloaded ${login.accessToken} ${login.refreshToken}\n\u202Eend`,
      true,
    );
  }
  const isDue = login.expiresAt - Date.now() <= 5 * 60_000 || mode === "revoked";
  if (isDue && login.refreshToken) {
    if (mode === "rejected") {
      write({ ...login, accessToken: "", refreshToken: "", expiresAt: 0 });
      return say("Failed to authenticate: OAuth session expired and could not be refreshed", true);
    }
    await renew(login);
  }
  if (mode === "usage-limit") return say("You've hit your session limit · resets 3:45pm", true);
  return say("ok");
}

async function renew(login) {
  const lock = join(config, ".oauth_refresh.lock");
  mkdirSync(lock);
  writeFileSync(join(here, "renewing"), "");
  const mayGoOn = () => mode !== "waits" || existsSync(join(here, "release"));
  while (!mayGoOn()) await sleep(20);
  // A renewal that is broken off here has used up the old refresh token, and lost the new one.
  write({
    ...login,
    accessToken: "sk-ant-oat01-CANARYrenewed-access-0001",
    refreshToken: "sk-ant-ort01-CANARYrenewed-refresh-0001",
    expiresAt: Date.now() + 8 * 3600_000,
  });
  rmSync(lock, { recursive: true });
}

function readLogin() {
  try {
    return JSON.parse(readFileSync(path, "utf8")).claudeAiOauth;
  } catch {
    return undefined;
  }
}

function write(claudeAiOauth) {
  const file = JSON.parse(readFileSync(path, "utf8"));
  writeFileSync(`${path}.new`, JSON.stringify({ ...file, claudeAiOauth }), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

function settingsOutrank() {
  const at = argv.indexOf("--setting-sources");
  if (at >= 0 && !argv[at + 1].split(",").includes("user")) return false;
  try {
    const { apiKeyHelper, env = {} } = JSON.parse(
      readFileSync(join(config, "settings.json"), "utf8"),
    );
    return Boolean(apiKeyHelper) || NAMES.some((name) => env[name]);
  } catch {
    return false;
  }
}

function say(result, isError = false) {
  console.log(JSON.stringify({ type: "result", subtype: "success", is_error: isError, result }));
  return isError;
}
