import type { Restart } from "../hosts/host.ts";
import type { Finding, ShadowFact } from "../remote/shadow-fact.ts";

/** A finding in the user's terms. HOST stands for the host's name. */
export interface Explained {
  /** Names and places: one line. */
  readonly why: string;
  readonly next: readonly string[];
}

/** One finding with its place, what Claude Code does because of it, and how a person removes it. */
export interface ExplainedFinding {
  readonly what: string;
  readonly effect: string;
  readonly cure: readonly string[];
}

/** All findings in one go, for a failure or a plan. */
export function explainShadows(
  findings: readonly Finding[],
  restart: Restart,
): Explained | undefined {
  if (findings.length === 0) return undefined;
  const explained = findings.map((finding) => explainFinding(finding, restart));
  const verb = findings.length === 1 ? "outranks" : "outrank";
  return {
    why: `${listOf(explained.map(({ what }) => what))} ${verb} what is pushed`,
    next: [...new Set(explained.flatMap(({ cure }) => cure))],
  };
}

/** One finding: place, effect, cure by hand. */
export function explainFinding(finding: Finding, restart: Restart): ExplainedFinding {
  const { name, value, sources } = finding;
  const kind = VALUES[value];
  return {
    what: `${name}${kind === undefined ? "" : ` (${kind})`} in ${listOf(sources.map(placeOf))}`,
    effect: effectOf(finding),
    cure: [
      ...new Set(
        sources
          .filter(({ place }) => place !== "process" || sources.length === 1)
          .map((source) => cureByHand(source, restart)),
      ),
    ],
  };
}

const VALUES: Partial<Record<Finding["value"], string>> = {
  "api-key": "an API key",
  "oauth-token": "an OAuth token",
};

/** `/etc/default/wrapper, line 3`. */
export function placeOf({ place, path, line }: ShadowFact): string {
  if (path === undefined || place === "process") return "the wrapper's environment";
  return line === undefined ? path : `${path}, line ${line}`;
}

function effectOf({ name, value }: Finding): string {
  switch (name) {
    case "CLAUDE_CODE_USE_BEDROCK":
    case "CLAUDE_CODE_USE_VERTEX":
    case "CLAUDE_CODE_USE_FOUNDRY":
    case "CLAUDE_CODE_USE_ANTHROPIC_AWS":
    case "CLAUDE_CODE_USE_MANTLE":
    case "CLAUDE_CODE_USE_ANTHROPIC_GOOGLE_CLOUD":
      return "Claude Code asks that cloud and uses no Anthropic login at all";
    case "ANTHROPIC_AUTH_TOKEN":
      return "Claude Code sends this token instead of the login; a bad one ends in `Invalid auth token` or a 401";
    case "ANTHROPIC_API_KEY":
      return value === "oauth-token"
        ? "Claude Code sends it as an API key, which an OAuth token is not: `Invalid API key · Fix external API key`"
        : "Claude Code uses this key instead of the login; a bad one ends in `Invalid API key · Fix external API key`";
    case "apiKeyHelper":
      return "Claude Code runs this script and uses what it prints instead of the login";
    case "CLAUDE_CODE_SIMPLE":
      return "Claude Code never reads a login while it is set: `Not logged in · Please run /login`";
    case "CLAUDE_CODE_API_KEY_FILE_DESCRIPTOR":
      return "Claude Code reads a key from there and uses it instead of the login";
    case "CLAUDE_CODE_OAUTH_TOKEN":
    case "CLAUDE_CODE_OAUTH_TOKEN_FILE_DESCRIPTOR":
      return "Claude Code uses this token instead of the credentials file";
    default:
      return "Claude Code uses another login instead of the credentials file";
  }
}

function cureByHand({ name, place, path = "", line }: ShadowFact, restart: Restart): string {
  const at = line === undefined ? `\`${path}\`` : `line ${line} of \`${path}\``;
  switch (place) {
    case "process":
      return `Remove ${name} where the wrapper is started${restart.kind === "docker" ? ": make the container anew without `-e`" : ""}, then restart it`;
    case "unit":
    case "unit-env-file":
      return `Take ${name} out of ${at} on HOST, or add \`UnsetEnvironment=${name}\` to the unit (\`systemctl edit\`)`;
    case "settings":
    case "project-settings":
    case "local-settings":
      return `Take ${name} out of ${at} on HOST`;
    case "managed-settings":
      return `Ask the administrator of HOST to take ${name} out of ${at}`;
    case "compose":
    case "compose-env-file":
      return `Take ${name} out of ${at} on HOST, then \`docker compose up -d --force-recreate\``;
    case "pm2":
      return `Take ${name} out of ${at} on HOST, then \`pm2 restart --update-env\``;
    case "supervisor":
      return `Take ${name} out of ${at} on HOST, then \`supervisorctl update\``;
    case "launchd":
      return `Take ${name} out of ${at} on HOST, then \`launchctl bootout\` and \`bootstrap\` it`;
    case "start-command":
      return `Take ${name} out of \`restart.command\` in hosts.json`;
    case "env-file":
    case "dot-env":
    case "shell-rc":
      return `Remove ${at} on HOST (${name}), then restart the wrapper`;
  }
}

function listOf(items: readonly string[]): string {
  return items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`;
}
