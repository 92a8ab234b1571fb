import type { Means, Restart } from "../hosts/host.ts";
import { PROVIDER_VARIABLES } from "../remote/shadow-fact.ts";
import type { Finding, ShadowFact, ShadowPlace } from "../remote/shadow-fact.ts";

/**
 * The order in which Claude Code takes a credential, first what wins (Anthropic's documentation of authentication
 * precedence; the variables, the helper and the file were seen with 2.1.330).
 */
const RANKS = new Map<string, number>([
  ...PROVIDER_VARIABLES.map((name) => [name, 1] as const),
  ["ANTHROPIC_AUTH_TOKEN", 2],
  ["ANTHROPIC_API_KEY", 3],
  ["CLAUDE_CODE_API_KEY_FILE_DESCRIPTOR", 3],
  ["apiKeyHelper", 4],
  // Not a credential: with it OAuth tokens and the file are never read.
  ["CLAUDE_CODE_SIMPLE", 4],
  ["CLAUDE_CODE_OAUTH_TOKEN", 5],
  ["CLAUDE_CODE_OAUTH_TOKEN_FILE_DESCRIPTOR", 5],
  ["ANTHROPIC_PROFILE", 6],
  ["ANTHROPIC_FEDERATION_RULE_ID", 6],
]);

const RANK_OF_MEANS: Readonly<Record<Means, number>> = {
  "key-variable": 3,
  "key-helper": 4,
  "oauth-variable": 5,
  file: 7,
  none: 7,
};

/** What a delivery itself sets; another place that sets it too loses against ours, or is named apart. */
const OWN_NAME: Partial<Record<Means, string>> = {
  "key-variable": "ANTHROPIC_API_KEY",
  "key-helper": "apiKeyHelper",
  "oauth-variable": "CLAUDE_CODE_OAUTH_TOKEN",
};

/** Places that win even over a variable that the supervisor sets: what Claude Code or compose puts on top of it. */
const ON_TOP = new Set<ShadowPlace>([
  "settings",
  "project-settings",
  "local-settings",
  "managed-settings",
  "compose",
]);

/**
 * What outranks that which a delivery brings, in the order of precedence. An empty value outranks nothing (seen with
 * Claude Code 2.1.330); files of login shells are not read by services, but a `process` of ours starts in a login shell.
 */
export function findShadows(
  facts: readonly ShadowFact[],
  means: Means,
  { kind }: Restart,
): Finding[] {
  const found = new Map<string, ShadowFact[]>();
  for (const fact of facts) {
    if (!isEffective(fact, kind) || !outranks(fact, means)) continue;
    found.set(fact.name, [...(found.get(fact.name) ?? []), fact]);
  }
  return [...found]
    .map(([name, sources]) => {
      const value = sources.find((source) => source.value !== "set")?.value ?? "set";
      return { name, value, sources: sources.sort((a, b) => sureness(a) - sureness(b)) };
    })
    .sort((a, b) => rankOf(a.name) - rankOf(b.name));
}

/** What is set in files that services do not read: worth a word, since people put it there in good faith. */
export function findUnread(facts: readonly ShadowFact[], { kind }: Restart): ShadowFact[] {
  return facts.filter((fact) => fact.place === "shell-rc" && !isEffective(fact, kind));
}

/** A file that a login shell reads, which is what a `process` of ours is started with. */
export function isProfile(path = ""): boolean {
  return /\/\.?profile$/.test(path);
}

function isEffective({ place, value, path }: ShadowFact, kind: Restart["kind"]): boolean {
  if (value === "empty") return false;
  return place !== "shell-rc" || (kind === "process" && isProfile(path));
}

function outranks({ name, place }: ShadowFact, means: Means): boolean {
  const rank = rankOf(name);
  if (name === OWN_NAME[means]) return ON_TOP.has(place) && name !== "apiKeyHelper";
  // A key is read with it, a login is not.
  if (name === "CLAUDE_CODE_SIMPLE") return means === "file" || means === "oauth-variable";
  return rank < RANK_OF_MEANS[means];
}

function rankOf(name: string): number {
  return RANKS.get(name) ?? Number.POSITIVE_INFINITY;
}

/** The environment of the running process proves itself; of the files nobody knows whether they were read. */
function sureness({ place }: ShadowFact): number {
  return place === "process" ? 0 : 1;
}
