/** What a value is, as far as its public prefix tells. The value itself is shown to nobody. */
export type ValueClass = "api-key" | "oauth-token" | "empty" | "set";

/** Where on the host something stands that may outrank a delivery. */
export type ShadowPlace =
  | "process"
  | "unit"
  | "unit-env-file"
  | "compose"
  | "compose-env-file"
  | "pm2"
  | "supervisor"
  | "launchd"
  | "start-command"
  | "env-file"
  | "settings"
  | "project-settings"
  | "local-settings"
  | "managed-settings"
  | "dot-env"
  | "shell-rc";

/** One place that sets something which Claude Code looks at when it chooses its credential. */
export interface ShadowFact {
  /** A variable of `AUTH_VARIABLES`, or `apiKeyHelper`. */
  readonly name: string;
  readonly place: ShadowPlace;
  readonly value: ValueClass;
  readonly path?: string;
  /** Counted from 1. */
  readonly line?: number;
}

/** A variable that a file sets, without its value. Of several assignments it is the last one, which counts. */
export interface FoundVariable {
  readonly name: string;
  /** Counted from 1. */
  readonly line: number;
  readonly value: ValueClass;
}

/** Variables that replace Anthropic's own service by another cloud's (read in Claude Code 2.1.330). */
export const PROVIDER_VARIABLES = [
  "CLAUDE_CODE_USE_BEDROCK",
  "CLAUDE_CODE_USE_VERTEX",
  "CLAUDE_CODE_USE_FOUNDRY",
  "CLAUDE_CODE_USE_ANTHROPIC_AWS",
  "CLAUDE_CODE_USE_MANTLE",
  "CLAUDE_CODE_USE_ANTHROPIC_GOOGLE_CLOUD",
] as const;

/** The variables that decide which credential Claude Code uses and where it sends it. */
export const AUTH_VARIABLES = [
  ...PROVIDER_VARIABLES,
  "ANTHROPIC_AUTH_TOKEN",
  "ANTHROPIC_API_KEY",
  "CLAUDE_CODE_API_KEY_FILE_DESCRIPTOR",
  "CLAUDE_CODE_SIMPLE",
  "CLAUDE_CODE_OAUTH_TOKEN",
  "CLAUDE_CODE_OAUTH_TOKEN_FILE_DESCRIPTOR",
  "ANTHROPIC_PROFILE",
  "ANTHROPIC_FEDERATION_RULE_ID",
  "ANTHROPIC_BASE_URL",
] as const;

/** The class of a value that has been freed of its quotes. */
export function classifyValue(value: string): ValueClass {
  if (value.trim() === "") return "empty";
  if (value.startsWith("sk-ant-api")) return "api-key";
  if (value.startsWith("sk-ant-oat")) return "oauth-token";
  return "set";
}

/** One thing that outranks what a delivery brings, with every place that sets it. */
export interface Finding {
  /** A variable of `AUTH_VARIABLES`, or `apiKeyHelper`. */
  readonly name: string;
  readonly value: ValueClass;
  /** Where it stands, the surest first; never empty. */
  readonly sources: readonly ShadowFact[];
}
