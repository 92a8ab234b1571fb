#!/usr/bin/env node
// A small stand-in for Claude Code's `claude`: which credential it takes, and what it says when that is refused, are
// those of the real client 2.1.330, as it was seen against a mock API. It answers with the last word of the prompt.
//
//   claude [-p] [PROMPT] [--output-format json] [--bare]     prompt also on stdin; other options are ignored
//   claude auth status [--json]     which credential would be used; exit status 1 when none
//   claude --version
//
// The API's judgement lies in the credential: an API key is good when it starts with sk-ant-api03-GOOD; a bearer
// token that contains BAD, EXPIRED, REVOKED or LIMIT fails as its name says, every other one works, one that contains
// SLOW after four seconds. STANDIN_TOKEN_SERVER=http://127.0.0.1:PORT (token-server.mjs) judges OAuth tokens instead,
// and renews logins. STANDIN_MANAGED_SETTINGS=FILE stands in for /etc/claude-code/managed-settings.json.
// STANDIN_VERSION=2.0.5 speaks as that one does. Failures come at once: the real client retries a 401 for minutes.
// The test wrapper may call `ask` instead of starting it: its process has the environment and the folder of the client.
import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import {
  SESSION_OVER,
  configDir,
  judge,
  judgeByWord,
  readJson,
  readLogin,
  refusalOf,
  tryLogin,
} from "./claude-login.mjs";

const VERSION = process.env.STANDIN_VERSION || "2.1.330";
const NOT_LOGGED_IN = VERSION.startsWith("2.0.")
  ? "Invalid API key · Please run /login"
  : "Not logged in · Please run /login";
const BAD_KEY = "Invalid API key · Fix external API key";
const BAD_TOKEN = "Invalid auth token · Fix external auth token";

const USER = join(configDir, "settings.json");
const PROJECT = [".claude/settings.json", ".claude/settings.local.json"];
const MANAGED = process.env.STANDIN_MANAGED_SETTINGS || "/etc/claude-code/managed-settings.json";
// What Claude Code remembers of itself: its `env` counts too.
const MEMORY = join(process.env.CLAUDE_CONFIG_DIR || process.env.HOME || homedir(), ".claude.json");
const CLOUDS = [
  "BEDROCK",
  "VERTEX",
  "FOUNDRY",
  "ANTHROPIC_AWS",
  "MANTLE",
  "ANTHROPIC_GOOGLE_CLOUD",
];

if (basename(process.argv[1]) === "claude.mjs") await main(process.argv.slice(2));

async function main(argv) {
  if (argv.includes("--version")) console.log(`${VERSION} (Claude Code)`);
  else if (argv[0] === "auth" && argv[1] === "status") showStatus(argv);
  else await answer(argv);
}

/** What the client has to say to a question that comes on its stdin, and whether that is a failure. */
export async function ask(argv, readInput) {
  const setup = readSetup([USER, ...PROJECT, ...listManaged(MANAGED)], argv);
  const failure = await tryWith(chooseCredential(setup));
  const prompt = promptOf(argv) ?? readInput();
  const result = failure ?? /(\S+)\s*$/.exec(prompt)?.[1] ?? "";
  return { result, isError: failure !== undefined };
}

async function answer(argv) {
  const started = Date.now();
  const { result, isError } = await ask(argv, () => readFileSync(0, "utf8"));
  if (argv[argv.indexOf("--output-format") + 1] === "json") {
    const status = { api_error_status: isError && /API|OAuth token/.test(result) ? 401 : null };
    const facts = { is_error: isError, ...status, duration_ms: Date.now() - started, num_turns: 1 };
    // The trap: a failure is a `success` too.
    const head = {
      type: "result",
      subtype: "success",
      session_id: randomUUID(),
      total_cost_usd: 0,
    };
    console.log(JSON.stringify({ ...head, ...facts, result }));
  } else console.log(result);
  process.exitCode = isError ? 1 : 0;
}

/** Environment and settings as they act together; of two files the later one wins, and both win over the environment. */
function readSetup(files, argv) {
  const settings = files.map(readJson).filter((file) => file !== undefined);
  const environments = [process.env, readJson(MEMORY)?.env, ...settings.map(({ env }) => env)];
  const variables = Object.assign({}, ...environments);
  const bare = argv.includes("--bare") || isOn(variables.CLAUDE_CODE_SIMPLE);
  const helpers = settings.map((file) => file.apiKeyHelper);
  // A bare client takes the variables of its settings files, but not their helper.
  const apiKeyHelper = bare ? undefined : helpers.findLast((helper) => helper !== undefined);
  return { variables, apiKeyHelper, bare };
}

/** The order of precedence. */
function chooseCredential({ variables, apiKeyHelper, bare }) {
  const cloud = CLOUDS.find((name) => isOn(variables[`CLAUDE_CODE_USE_${name}`]));
  if (cloud !== undefined) return { kind: "cloud", provider: cloud.toLowerCase() };
  const key = variables.ANTHROPIC_API_KEY?.trim();
  const bearer = variables.ANTHROPIC_AUTH_TOKEN;
  if (bearer || key || apiKeyHelper) return { kind: "external", bearer, key, apiKeyHelper };
  if (bare) return { kind: "none" };
  const token = variables.CLAUDE_CODE_OAUTH_TOKEN;
  if (token) return { kind: "oauth", token };
  if (variables.ANTHROPIC_FEDERATION_RULE_ID && variables.ANTHROPIC_ORGANIZATION_ID) {
    return { kind: "federation" };
  }
  const profile = variables.ANTHROPIC_PROFILE && readProfile(variables);
  if (profile) return { kind: "oauth", token: profile };
  const login = readLogin();
  if (login === undefined) return { kind: "none" };
  if (login.accessToken !== "") return { kind: "login", login };
  return { kind: login.refreshToken === "" ? "blanked" : "none" };
}

/** The managed file, and those in the folder beside it. */
function listManaged(file) {
  const folder = file.replace(/\.json$/, ".d");
  const names = existsSync(folder) ? readdirSync(folder).sort() : [];
  return [file, ...names.map((name) => join(folder, name))];
}

/** The access token of a named profile; one that is not set up is passed over. */
function readProfile({ ANTHROPIC_PROFILE: name, ANTHROPIC_CONFIG_DIR: folder }) {
  const directory = folder || join(process.env.HOME || homedir(), ".config", "anthropic");
  if (readJson(join(directory, "configs", `${name}.json`)) === undefined) return undefined;
  return readJson(join(directory, "credentials", `${name}.json`))?.access_token;
}

/** Why the API cannot be asked with this credential, or what it answers; `undefined` when it works. */
async function tryWith(credential) {
  switch (credential.kind) {
    case "cloud":
      return `API Error: Could not load ${credential.provider} credentials`;
    case "external":
      return tryExternal(credential);
    case "oauth":
      return isHeader(credential.token) ? refusalOf(await judge(credential.token)) : BAD_TOKEN;
    case "federation":
      return "API Error: oidc_federation config requires an identity token (set authentication.identity_token, ANTHROPIC_IDENTITY_TOKEN_FILE, or ANTHROPIC_IDENTITY_TOKEN)";
    case "login":
      return tryLogin(credential.login);
    case "blanked":
      return SESSION_OVER;
    default:
      return NOT_LOGGED_IN;
  }
}

/** A key goes out as `x-api-key`, a token as Bearer, what a helper prints as whichever of the two is missing. */
async function tryExternal({ bearer, key, apiKeyHelper }) {
  let helped;
  if (apiKeyHelper) {
    try {
      helped = execFileSync("sh", ["-c", apiKeyHelper], { encoding: "utf8" }).trim();
    } catch {
      helped = "";
    }
    if (helped === "" && !key) {
      return "Your apiKeyHelper script is failing · This usually means you need to re-authenticate with your provider · Run /status to see the script's error output";
    }
  }
  const sentKey = key || helped;
  // Sent without the beta of OAuth, an OAuth token is no API key, whoever printed it.
  if (sentKey)
    return isHeader(sentKey) && sentKey.startsWith("sk-ant-api03-GOOD") ? undefined : BAD_KEY;
  return isHeader(bearer) ? refusalOf(await judgeByWord(bearer)) : BAD_TOKEN;
}

/** Says what would be used, as far as `claude auth status` knows: it runs no helper, and reads no `env` of a project. */
function showStatus(argv) {
  const managed = listManaged(MANAGED);
  const { variables, bare } = readSetup([USER, ...managed], argv);
  const { apiKeyHelper } = readSetup([USER, ...PROJECT, ...managed], argv);
  const credential = chooseCredential({ variables, apiKeyHelper, bare });
  const loggedIn = credential.kind !== "none" && credential.kind !== "blanked";
  const status = {
    loggedIn,
    authMethod: methodOf(credential),
    apiProvider: credential.provider ?? "firstParty",
    configDirectory: configDir,
    loginExpiresAt: null,
  };
  if (credential.key) status.apiKeySource = "ANTHROPIC_API_KEY";
  else if (credential.apiKeyHelper) status.apiKeySource = "apiKeyHelper";
  if (credential.kind === "login") {
    status.subscriptionType = credential.login.subscriptionType ?? null;
    status.storedClaudeAiLogin = true;
  }
  console.log(JSON.stringify(status, null, 2));
  process.exitCode = loggedIn ? 0 : 1;
}

function methodOf({ kind, bearer, apiKeyHelper }) {
  if (kind === "external")
    return bearer ? "oauth_token" : apiKeyHelper ? "api_key_helper" : "api_key";
  return (
    {
      cloud: "third_party",
      oauth: "oauth_token",
      federation: "oauth_token",
      login: "claude.ai",
    }[kind] ?? "none"
  );
}

/** The prompt among the arguments: what is no option and no option's value. */
function promptOf(words) {
  const valued = /^--(?:output-format|allowedTools|model|max-turns|(?:append-)?system-prompt)$/;
  return words.find((word, at) => !word.startsWith("-") && !valued.test(words[at - 1] ?? ""));
}

/** A line break never reaches the API. */
function isHeader(value) {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(value);
}

function isOn(value) {
  return value !== undefined && !["", "0", "false", "no", "off"].includes(value.toLowerCase());
}
