import type { ShadowFact } from "../remote/probe-report.ts";

/**
 * What the user must know about things that outrank the credentials file, and how to be rid of them. The order of
 * precedence is Claude Code's: environment variables and `apiKeyHelper` come before the login file.
 */
export function explainShadows(
  shadows: readonly ShadowFact[],
): { why: string; next: string[] } | undefined {
  if (shadows.length === 0) return undefined;
  const named = shadows.map(({ name, place, value }) =>
    place === "settings.json"
      ? `${name} in settings.json on the host`
      : `${name} in the wrapper's environment${value === "oauth-token" ? " (it holds an OAuth token)" : ""}`,
  );
  return {
    why: `${listOf(named)} outrank${shadows.length === 1 ? "s" : ""} the credentials file`,
    next: shadows.map(({ name, place }) =>
      place === "settings.json"
        ? `Remove ${name} from Claude's settings.json on the host, then push again`
        : `Remove ${name} where the wrapper is started (unit file, env file, start script), then push again`,
    ),
  };
}

function listOf(items: readonly string[]): string {
  return items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`;
}
