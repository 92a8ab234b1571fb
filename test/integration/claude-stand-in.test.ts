import { chmodSync, renameSync, symlinkSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { openWorld, runClaude, textOf } from "../support/claude-world.ts";
import type { Files } from "../support/claude-world.ts";

// Every row was seen with the real client, 2.1.330, against a mock API on loopback; see field-facts §0 and §4.1.
const NOT_LOGGED_IN = "Not logged in · Please run /login";
const BAD_KEY = "Invalid API key · Fix external API key";
const SESSION_OVER = "Failed to authenticate: OAuth session expired and could not be refreshed";
const EXPIRED =
  "Failed to authenticate. API Error: 401 OAuth token has expired. Please obtain a new token or refresh your existing token.";
const INVALID = "Failed to authenticate. API Error: 401 Invalid bearer token";

const good = "sk-ant-oat01-CANARYgood";
const bad = "sk-ant-oat01-CANARYBAD";
const expired = "sk-ant-oat01-CANARYEXPIRED";
const goodKey = "sk-ant-api03-GOOD-CANARY";
const badKey = "sk-ant-api03-CANARY";
const scopes = ["user:inference"];
const future = Date.now() + 8 * 3600_000;
const past = Date.now() - 3600_000;
const full = {
  accessToken: good,
  refreshToken: "sk-ant-ort01-CANARY",
  expiresAt: future,
  scopes,
  subscriptionType: "max",
};
const GOOD_FILE = file({ claudeAiOauth: full });

function file(content: unknown): Files {
  return { "home/.claude/.credentials.json": JSON.stringify(content) };
}

function login(claudeAiOauth: object): Files {
  return file({ claudeAiOauth });
}

function settings(content: object, path = "home/.claude/settings.json"): Files {
  return { [path]: JSON.stringify(content) };
}

const PROJECT = "cwd/.claude/settings.json";
const LOCAL = "cwd/.claude/settings.local.json";
const MANAGED = "managed.json";

type Row = [
  name: string,
  said: string,
  files: Files,
  env?: Readonly<Record<string, string>>,
  argv?: readonly string[],
];

const rows: Row[] = [
  ["a whole login", "pong", GOOD_FILE],
  ["the same fields flat", NOT_LOGGED_IN, file(full)],
  [
    "the same fields flat, 2.0.5",
    "Invalid API key · Please run /login",
    file(full),
    { STANDIN_VERSION: "2.0.5" },
  ],
  [
    "a login without refresh token",
    "pong",
    login({ accessToken: good, expiresAt: future, scopes }),
  ],
  [
    "a login with the refresh token null",
    "pong",
    login({ accessToken: good, refreshToken: null, scopes }),
  ],
  ["access token and scopes only", "pong", login({ accessToken: good, scopes })],
  ["no scopes", NOT_LOGGED_IN, login({ accessToken: good, expiresAt: future })],
  ["no scope for inference", NOT_LOGGED_IN, login({ accessToken: good, scopes: ["user:profile"] })],
  [
    "a refresh-less login, past its end, rejected",
    EXPIRED,
    login({ accessToken: expired, expiresAt: past, scopes }),
  ],
  [
    "a refresh-less login, past its end, accepted",
    "pong",
    login({ accessToken: good, expiresAt: past, scopes }),
  ],
  [
    "a blanked login",
    SESSION_OVER,
    login({ accessToken: "", refreshToken: "", expiresAt: 0, scopes }),
  ],
  [
    "a blanked login that had no refresh token",
    NOT_LOGGED_IN,
    login({ accessToken: "", expiresAt: 0, scopes }),
  ],
  [
    "truncated JSON",
    NOT_LOGGED_IN,
    { "home/.claude/.credentials.json": JSON.stringify({ claudeAiOauth: full }).slice(0, 40) },
  ],
  [
    "JSON behind a BOM",
    NOT_LOGGED_IN,
    { "home/.claude/.credentials.json": `\uFEFF${JSON.stringify({ claudeAiOauth: full })}` },
  ],
  ["MCP logins beside it", "pong", file({ claudeAiOauth: full, mcpOAuth: { a: 1 } })],
  ["MCP logins only", NOT_LOGGED_IN, file({ mcpOAuth: { a: 1 } })],
  ["no file", NOT_LOGGED_IN, {}],
  [
    "CLAUDE_CONFIG_DIR",
    "pong",
    { "cwd/other/.credentials.json": JSON.stringify({ claudeAiOauth: full }) },
    { CLAUDE_CONFIG_DIR: "other" },
  ],
  ["a good file and a bad key", BAD_KEY, GOOD_FILE, { ANTHROPIC_API_KEY: badKey }],
  [
    "a bad file and a good key",
    "pong",
    login({ accessToken: bad, scopes }),
    { ANTHROPIC_API_KEY: goodKey },
  ],
  ["a good file and an empty key", "pong", GOOD_FILE, { ANTHROPIC_API_KEY: "" }],
  ["a good file and a key of blanks", "pong", GOOD_FILE, { ANTHROPIC_API_KEY: " " }],
  ["an OAuth token in the key's place", BAD_KEY, GOOD_FILE, { ANTHROPIC_API_KEY: good }],
  ["a key with a line break", BAD_KEY, GOOD_FILE, { ANTHROPIC_API_KEY: `${goodKey}\nx` }],
  [
    "a good file and a bad key in settings.json",
    BAD_KEY,
    { ...GOOD_FILE, ...settings({ env: { ANTHROPIC_API_KEY: badKey } }) },
  ],
  [
    "a key in settings.json over one in the environment",
    BAD_KEY,
    { ...GOOD_FILE, ...settings({ env: { ANTHROPIC_API_KEY: badKey } }) },
    { ANTHROPIC_API_KEY: goodKey },
  ],
  [
    "an empty key in settings.json over one in the environment",
    "pong",
    { ...GOOD_FILE, ...settings({ env: { ANTHROPIC_API_KEY: "" } }) },
    { ANTHROPIC_API_KEY: badKey },
  ],
  [
    "a key in the project's settings",
    BAD_KEY,
    { ...GOOD_FILE, ...settings({ env: { ANTHROPIC_API_KEY: badKey } }, PROJECT) },
  ],
  [
    "a key in the project's local settings over the project's",
    BAD_KEY,
    {
      ...GOOD_FILE,
      ...settings({ env: { ANTHROPIC_API_KEY: goodKey } }, PROJECT),
      ...settings({ env: { ANTHROPIC_API_KEY: badKey } }, LOCAL),
    },
  ],
  [
    "a key in managed settings over all others",
    BAD_KEY,
    {
      ...settings({ env: { ANTHROPIC_API_KEY: goodKey } }, LOCAL),
      ...settings({ env: { ANTHROPIC_API_KEY: badKey } }, MANAGED),
    },
  ],
  [
    "a key in a file of managed-settings.d",
    BAD_KEY,
    { ...GOOD_FILE, ...settings({ env: { ANTHROPIC_API_KEY: badKey } }, "managed.d/10-key.json") },
  ],
  [
    "a key in ~/.claude.json over one in the environment",
    BAD_KEY,
    { ...GOOD_FILE, ...settings({ env: { ANTHROPIC_API_KEY: badKey } }, "home/.claude.json") },
    { ANTHROPIC_API_KEY: goodKey },
  ],
  [
    "a key in settings.json over one in ~/.claude.json",
    "pong",
    {
      ...settings({ env: { ANTHROPIC_API_KEY: badKey } }, "home/.claude.json"),
      ...settings({ env: { ANTHROPIC_API_KEY: goodKey } }),
    },
  ],
  ["a key in a .env", "pong", { ...GOOD_FILE, "cwd/.env": `ANTHROPIC_API_KEY=${badKey}\n` }],
  ["settings.json that is no JSON", "pong", { ...GOOD_FILE, "home/.claude/settings.json": "{" }],
  [
    "CLAUDE_CODE_OAUTH_TOKEN, good, and a bad file",
    "pong",
    login({ accessToken: bad, scopes }),
    { CLAUDE_CODE_OAUTH_TOKEN: good },
  ],
  [
    "CLAUDE_CODE_OAUTH_TOKEN, bad, and a good file",
    INVALID,
    GOOD_FILE,
    { CLAUDE_CODE_OAUTH_TOKEN: bad },
  ],
  [
    "CLAUDE_CODE_OAUTH_TOKEN, expired, and a good file",
    EXPIRED,
    GOOD_FILE,
    { CLAUDE_CODE_OAUTH_TOKEN: expired },
  ],
  [
    "CLAUDE_CODE_OAUTH_TOKEN and a bad key",
    BAD_KEY,
    {},
    { CLAUDE_CODE_OAUTH_TOKEN: good, ANTHROPIC_API_KEY: badKey },
  ],
  [
    "CLAUDE_CODE_OAUTH_TOKEN with a line break",
    "Invalid auth token · Fix external auth token",
    {},
    { CLAUDE_CODE_OAUTH_TOKEN: `${good}\n` },
  ],
  ["ANTHROPIC_AUTH_TOKEN, bad, and a good file", INVALID, GOOD_FILE, { ANTHROPIC_AUTH_TOKEN: bad }],
  ["ANTHROPIC_AUTH_TOKEN, empty, and a good file", "pong", GOOD_FILE, { ANTHROPIC_AUTH_TOKEN: "" }],
  [
    "ANTHROPIC_AUTH_TOKEN over CLAUDE_CODE_OAUTH_TOKEN",
    "pong",
    {},
    { ANTHROPIC_AUTH_TOKEN: good, CLAUDE_CODE_OAUTH_TOKEN: bad },
  ],
  [
    "ANTHROPIC_AUTH_TOKEN and a bad key, which is sent as well",
    BAD_KEY,
    GOOD_FILE,
    { ANTHROPIC_AUTH_TOKEN: good, ANTHROPIC_API_KEY: badKey },
  ],
  [
    "a helper, bad, and a good file",
    BAD_KEY,
    { ...GOOD_FILE, ...settings({ apiKeyHelper: `echo ${badKey}` }) },
  ],
  ["a helper, good, without a file", "pong", settings({ apiKeyHelper: `echo ${goodKey}` })],
  ["a helper that prints an OAuth token", BAD_KEY, settings({ apiKeyHelper: `echo ${good}` })],
  [
    "a helper, good, and a bad CLAUDE_CODE_OAUTH_TOKEN",
    "pong",
    settings({ apiKeyHelper: `echo ${goodKey}` }),
    { CLAUDE_CODE_OAUTH_TOKEN: bad },
  ],
  [
    "a helper, good, and a bad key",
    BAD_KEY,
    settings({ apiKeyHelper: `echo ${goodKey}` }),
    { ANTHROPIC_API_KEY: badKey },
  ],
  [
    "a helper of the project over the user's",
    BAD_KEY,
    {
      ...settings({ apiKeyHelper: `echo ${goodKey}` }),
      ...settings({ apiKeyHelper: `echo ${badKey}` }, PROJECT),
    },
  ],
  [
    "a helper that fails",
    "Your apiKeyHelper script is failing · This usually means you need to re-authenticate with your provider · Run /status to see the script's error output",
    { ...GOOD_FILE, ...settings({ apiKeyHelper: "exit 3" }) },
  ],
  ["an empty helper", "pong", { ...GOOD_FILE, ...settings({ apiKeyHelper: "" }) }],
  [
    "a cloud provider",
    "API Error: Could not load bedrock credentials",
    GOOD_FILE,
    { CLAUDE_CODE_USE_BEDROCK: "1" },
  ],
  ["a cloud provider that is off", "pong", GOOD_FILE, { CLAUDE_CODE_USE_BEDROCK: "0" }],
  [
    "a named profile over the file",
    INVALID,
    {
      ...GOOD_FILE,
      "home/.config/anthropic/configs/work.json": '{"authentication":{"type":"user_oauth"}}',
      "home/.config/anthropic/credentials/work.json": JSON.stringify({ access_token: bad }),
    },
    { ANTHROPIC_PROFILE: "work" },
  ],
  ["a named profile that is not there", "pong", GOOD_FILE, { ANTHROPIC_PROFILE: "work" }],
  [
    "federation without an identity",
    "API Error: oidc_federation config requires an identity token (set authentication.identity_token, ANTHROPIC_IDENTITY_TOKEN_FILE, or ANTHROPIC_IDENTITY_TOKEN)",
    GOOD_FILE,
    { ANTHROPIC_FEDERATION_RULE_ID: "rule", ANTHROPIC_ORGANIZATION_ID: "org" },
  ],
  ["--bare and a good file", NOT_LOGGED_IN, GOOD_FILE, {}, ["--bare", "-p"]],
  ["CLAUDE_CODE_SIMPLE and a good file", NOT_LOGGED_IN, GOOD_FILE, { CLAUDE_CODE_SIMPLE: "1" }],
  [
    "CLAUDE_CODE_SIMPLE and CLAUDE_CODE_OAUTH_TOKEN",
    NOT_LOGGED_IN,
    {},
    { CLAUDE_CODE_SIMPLE: "1", CLAUDE_CODE_OAUTH_TOKEN: good },
  ],
  [
    "CLAUDE_CODE_SIMPLE and a helper of settings.json",
    NOT_LOGGED_IN,
    settings({ apiKeyHelper: `echo ${goodKey}` }),
    { CLAUDE_CODE_SIMPLE: "1" },
  ],
  [
    "CLAUDE_CODE_SIMPLE and a key in settings.json",
    "pong",
    settings({ env: { ANTHROPIC_API_KEY: goodKey } }),
    { CLAUDE_CODE_SIMPLE: "1" },
  ],
  ["CLAUDE_CODE_SIMPLE, off", "pong", GOOD_FILE, { CLAUDE_CODE_SIMPLE: "0" }],
  [
    "a spent limit",
    "You've hit your session limit · resets 3:45pm",
    login({ accessToken: "sk-ant-oat01-CANARYLIMIT", scopes }),
  ],
  [
    "a revoked token",
    "Failed to authenticate: OAuth token revoked. Please log in again or contact your administrator.",
    login({ accessToken: "sk-ant-oat01-CANARYREVOKED", scopes }),
  ],
];

describe("the stand-in for claude, asked a question", () => {
  test.each(rows)("with %s says: %s", async (_name, said, files, env, argv) => {
    const { folder, path } = openWorld(files);
    const credentials = path("home/.claude/.credentials.json");
    const before = textOf(credentials);

    const { code, stdout } = await runClaude(folder, env, argv);

    expect(stdout).toBe(said);
    expect(code).toBe(said === "pong" ? 0 : 1);
    expect(textOf(credentials)).toBe(before);
  });
});

describe("the stand-in for claude", () => {
  test("takes a link and a file that everybody may read", async () => {
    const { folder, path } = openWorld(GOOD_FILE);
    const credentials = path("home/.claude/.credentials.json");
    renameSync(credentials, path("elsewhere.json"));
    chmodSync(path("elsewhere.json"), 0o644);
    symlinkSync(path("elsewhere.json"), credentials);
    expect(await runClaude(folder)).toEqual({ code: 0, stdout: "pong" });
  });

  test("takes the question from the arguments as well, and answers in JSON, where a failure is a success", async () => {
    const { folder } = openWorld(GOOD_FILE);
    const argv = ["-p", "Say ping", "--output-format", "json"];

    const well = await runClaude(folder, {}, argv);
    const failed = await runClaude(folder, { ANTHROPIC_API_KEY: badKey }, argv);

    expect(JSON.parse(well.stdout)).toMatchObject({
      type: "result",
      subtype: "success",
      is_error: false,
      result: "ping",
    });
    expect(JSON.parse(failed.stdout)).toMatchObject({
      subtype: "success",
      is_error: true,
      api_error_status: 401,
      result: BAD_KEY,
    });
    expect([well.code, failed.code]).toEqual([0, 1]);
  });

  test("tells its version", async () => {
    const { folder } = openWorld({});
    expect(await runClaude(folder, {}, ["--version"])).toEqual({
      code: 0,
      stdout: "2.1.330 (Claude Code)",
    });
  });

  test.each<[name: string, status: object, files: Files, env?: Record<string, string>]>([
    ["nothing", { loggedIn: false, authMethod: "none" }, {}],
    [
      "a file",
      {
        loggedIn: true,
        authMethod: "claude.ai",
        storedClaudeAiLogin: true,
        subscriptionType: "max",
      },
      GOOD_FILE,
    ],
    [
      "an expired login",
      { loggedIn: true, authMethod: "claude.ai" },
      login({ accessToken: expired, expiresAt: past, scopes }),
    ],
    [
      "a blanked login",
      { loggedIn: false, authMethod: "none" },
      login({ accessToken: "", refreshToken: "", expiresAt: 0, scopes }),
    ],
    [
      "a key",
      { authMethod: "api_key", apiKeySource: "ANTHROPIC_API_KEY" },
      GOOD_FILE,
      { ANTHROPIC_API_KEY: badKey },
    ],
    [
      "an auth token and a key",
      { authMethod: "oauth_token", apiKeySource: "ANTHROPIC_API_KEY" },
      {},
      { ANTHROPIC_AUTH_TOKEN: "x", ANTHROPIC_API_KEY: badKey },
    ],
    ["an OAuth token", { authMethod: "oauth_token" }, GOOD_FILE, { CLAUDE_CODE_OAUTH_TOKEN: bad }],
    [
      "a key in settings.json",
      { authMethod: "api_key", apiKeySource: "ANTHROPIC_API_KEY" },
      settings({ env: { ANTHROPIC_API_KEY: badKey } }),
    ],
    [
      "a key in the project's settings, which it does not see",
      { authMethod: "claude.ai" },
      { ...GOOD_FILE, ...settings({ env: { ANTHROPIC_API_KEY: badKey } }, PROJECT) },
    ],
    [
      "a helper, which it does not run",
      { authMethod: "api_key_helper", apiKeySource: "apiKeyHelper" },
      settings({ apiKeyHelper: "touch ran" }, PROJECT),
    ],
    [
      "a helper and a key",
      { authMethod: "api_key_helper", apiKeySource: "ANTHROPIC_API_KEY" },
      settings({ apiKeyHelper: "touch ran" }),
      { ANTHROPIC_API_KEY: badKey },
    ],
    [
      "a cloud provider",
      { authMethod: "third_party", apiProvider: "vertex" },
      {},
      { CLAUDE_CODE_USE_VERTEX: "1" },
    ],
  ])("tells with %s what it would use", async (_name, status, files, env) => {
    const { folder, path } = openWorld(files);

    const { code, stdout } = await runClaude(folder, env, ["auth", "status", "--json"]);

    const said = JSON.parse(stdout) as { loggedIn: boolean };
    expect(said).toMatchObject(status);
    expect(code).toBe(said.loggedIn ? 0 : 1);
    expect(textOf(path("cwd/ran"))).toBeUndefined();
  });
});
