import { namesLeftOut, namesSetBy } from "../edits/wiring.ts";
import { readSettings } from "../edits/settings-file.ts";
import type { Host } from "../hosts/host.ts";
import type { ProbeReport } from "../remote/probe-report.ts";
import { AUTH_VARIABLES } from "../remote/shadow-fact.ts";
import type { Finding, ShadowFact, ShadowPlace } from "../remote/shadow-fact.ts";
import { explainShadows } from "./explain.ts";
import type { Explained } from "./explain.ts";
import { findShadows, findUnread } from "./shadows.ts";

/** What the report of a probe says about other credentials than the one that is pushed. */
export interface Survey {
  /** What outranks it, in the order of precedence. */
  readonly shadows: readonly Finding[];
  /** What stands in files that the wrapper does not read. */
  readonly unread: readonly ShadowFact[];
  /** A settings file that cannot be understood: nobody knows what it says. */
  readonly flaw: { readonly path: string; readonly why: string } | undefined;
}

/** Reads a report: settings files, environment and the files around the wrapper, without what is our own. */
export function surveyShadows(report: ProbeReport, host: Host): Survey {
  const { facts: ofSettings, flaw } = factsOfSettings(report);
  const facts = [...report.shadows, ...ofCommand(host), ...ofSettings];
  const own = ownTraces(report, host);
  const foreign = facts.filter((fact) => !own(fact));
  return {
    shadows: findShadows(foreign, host.means, host.restart),
    unread: findUnread(facts, host.restart),
    flaw,
  };
}

/** All that outranks the delivery, in the user's terms; undefined when nothing does. */
export function explainAll({ shadows }: Survey, { restart }: Host): Explained | undefined {
  return explainShadows(shadows, restart);
}

/** The settings files that count for a wrapper, by place. */
function settingsPlaces({ configDir, project }: ProbeReport): [string, ShadowPlace][] {
  return [
    [`${configDir}/settings.json`, "settings"],
    ...(project === undefined || `${project}/.claude` === configDir
      ? []
      : ([
          [`${project}/.claude/settings.json`, "project-settings"],
          [`${project}/.claude/settings.local.json`, "local-settings"],
        ] satisfies [string, ShadowPlace][])),
    ["/etc/claude-code/managed-settings.json", "managed-settings"],
  ];
}

function factsOfSettings(report: ProbeReport): {
  facts: ShadowFact[];
  flaw: Survey["flaw"];
} {
  const facts: ShadowFact[] = [];
  let flaw: Survey["flaw"];
  for (const [path, place] of settingsPlaces(report)) {
    const file = report.files.get(path);
    if (file === undefined || file.kind === "absent") continue;
    if (file.bytes === undefined) {
      flaw ??= {
        path,
        why: `it is a ${file.kind} of mode ${file.mode} that this account cannot read`,
      };
      continue;
    }
    const settings = readSettings(file.bytes);
    if (settings.kind !== "settings") {
      flaw ??= {
        path,
        why: `it is no settings file that Claude Code could read (${settings.kind})`,
      };
      continue;
    }
    const { env, apiKeyHelper } = settings;
    facts.push(...env.map(({ name, line, value }) => ({ name, place, value, path, line })));
    if (apiKeyHelper !== undefined && apiKeyHelper.command !== "ours") {
      const value = apiKeyHelper.command === "oauth-token" ? "oauth-token" : "set";
      facts.push({ name: "apiKeyHelper", place, value, path, line: apiKeyHelper.line });
    }
  }
  return { facts, flaw };
}

/** `ANTHROPIC_API_KEY=… python3 wrapper.py` as the command of hosts.json itself. */
function ofCommand({ restart }: Host): ShadowFact[] {
  if (restart.kind !== "process") return [];
  return AUTH_VARIABLES.filter((name) =>
    new RegExp(`(?<![\\w$])${name}=\\S`).test(restart.command),
  ).map((name) => ({ name, place: "start-command", value: "set", path: "hosts.json" }));
}

/**
 * What stands there because an earlier push has put it there, or does nothing because one has turned it off. A variable
 * of ours in the process goes with the file that it comes from.
 */
function ownTraces({ configDir, files, wiring }: ProbeReport, { envFile, means }: Host) {
  const envPath = `${configDir}/.sync-creds/wrapper.env`;
  const brought = new Set(namesSetBy(files.get(envPath)?.bytes));
  const leftOut = wiring === undefined ? [] : namesLeftOut(files.get(wiring)?.bytes);
  const variable =
    means === "key-variable"
      ? "ANTHROPIC_API_KEY"
      : means === "oauth-variable"
        ? "CLAUDE_CODE_OAUTH_TOKEN"
        : undefined;
  return ({ name, place, path }: ShadowFact): boolean => {
    if (path !== undefined && (path === envPath || path === wiring)) return true;
    if (place === "process" && brought.has(name)) return true;
    if (place === "env-file") return envFile !== undefined && name === variable;
    return (place === "unit" || place === "unit-env-file") && leftOut.includes(name);
  };
}
