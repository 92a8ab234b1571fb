import { isObject, parseJsonText } from "../credentials/json-text.ts";
import { pathRules } from "../hosts/local-path.ts";
import type { Ports } from "../ports.ts";

/**
 * What Claude Code uses in place of its saved login, in its own order of precedence (its documentation of August 2026;
 * seen with 2.1.330). With one of them set, `claude -p` would not touch the login.
 */
const OUTRANKING = [
  "CLAUDE_CODE_USE_BEDROCK",
  "CLAUDE_CODE_USE_VERTEX",
  "CLAUDE_CODE_USE_FOUNDRY",
  "ANTHROPIC_AUTH_TOKEN",
  "ANTHROPIC_API_KEY",
  "CLAUDE_CODE_OAUTH_TOKEN",
  "ANTHROPIC_PROFILE",
  "ANTHROPIC_FEDERATION_RULE_ID",
  "CLAUDE_CODE_SIMPLE",
];

/** An environment in which the login counts, and the names that were taken out of it. */
export function environmentForLogin(env: Ports["env"]): { env: Ports["env"]; removed: string[] } {
  // The mark of a Claude Code around us: the one we start is not part of it.
  const out = new Set([...OUTRANKING, "CLAUDECODE"]);
  return {
    env: Object.fromEntries(Object.entries(env).filter(([name]) => !out.has(name))),
    removed: OUTRANKING.filter((name) => (env[name] ?? "") !== ""),
  };
}

/** The names in a settings file that outrank the login; none in one that Claude Code itself cannot read. */
export function findOutranking(bytes: Uint8Array): string[] {
  const json = parseJsonText(bytes);
  if (json.kind !== "json" || !isObject(json.value)) return [];
  const { env, apiKeyHelper } = json.value;
  return [
    ...(isSet(apiKeyHelper) ? ["apiKeyHelper"] : []),
    ...(isObject(env) ? OUTRANKING.filter((name) => isSet(env[name])) : []),
  ];
}

/** The user's own settings of Claude Code. */
export function userSettingsPath(ports: Ports): string {
  const rules = pathRules(ports);
  const named = ports.env["CLAUDE_CONFIG_DIR"];
  const directory = named ? rules.resolve(ports.cwd, named) : rules.join(ports.home, ".claude");
  return rules.join(directory, "settings.json");
}

/** The settings that an administrator has laid down: nothing can turn them off. */
export function managedSettingsPath({ platform }: Pick<Ports, "platform">): string {
  if (platform === "darwin") return "/Library/Application Support/ClaudeCode/managed-settings.json";
  return platform === "win32"
    ? "C:\\Program Files\\ClaudeCode\\managed-settings.json"
    : "/etc/claude-code/managed-settings.json";
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null && value !== "";
}
