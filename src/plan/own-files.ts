import { namesPushedTo } from "../edits/wiring.ts";
import type { Host } from "../hosts/host.ts";
import type { ProbeReport } from "../remote/probe-report.ts";

/** The files of ours beside the credentials file. */
export function pathsOf(configDir: string) {
  return {
    credentials: `${configDir}/.credentials.json`,
    settings: `${configDir}/settings.json`,
    env: `${configDir}/.sync-creds/wrapper.env`,
    key: `${configDir}/.sync-creds/api-key`,
    script: `${configDir}/.sync-creds/api-key.sh`,
  };
}

/** The variable that a delivery sets, if it sets one. */
export function variableOf({ means }: Pick<Host, "means">): string | undefined {
  if (means === "oauth-variable") return "CLAUDE_CODE_OAUTH_TOKEN";
  return means === "key-variable" ? "ANTHROPIC_API_KEY" : undefined;
}

/** The user's own env file, absolute. */
export function envFileOf({ envFile }: Host, { home }: ProbeReport): string | undefined {
  return envFile?.replace(/^~(?=\/)/, () => home);
}

/** What an earlier delivery has set in an env file, and this one does not: in the user's own, by what was pushed then. */
export function formerNames(
  host: Host,
  report: ProbeReport,
  lastWritten: readonly string[],
): string[] {
  const theirs = report.files.get(envFileOf(host, report) ?? "")?.bytes;
  return namesPushedTo(theirs, lastWritten).filter((name) => name !== variableOf(host));
}

/** Inside a container the folder has another path: there the script is found as Claude Code finds its own folder. */
export function helperCommand({ restart }: Host, script: string): string {
  return restart.kind === "docker" || restart.kind === "docker-compose"
    ? '"${CLAUDE_CONFIG_DIR:-$HOME/.claude}/.sync-creds/api-key.sh"'
    : `'${script.replaceAll("'", `'\\''`)}'`;
}

/** The script that `apiKeyHelper` names. It prints a file, so that no process has the key among its arguments. */
export const HELPER = `#!/bin/sh
# Written by sync-creds: prints the API key that lies beside it, for apiKeyHelper in settings.json.
exec cat "\${0%/*}/api-key"
`;
