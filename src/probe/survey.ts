import { namesLeftOut, namesPushedTo, namesSetBy } from "../edits/wiring.ts";
import { SETTINGS_FLAWS, readSettings } from "../edits/settings-file.ts";
import type { Host } from "../hosts/host.ts";
import type { HostFile } from "../remote/host-files.ts";
import type { ProbeReport } from "../remote/probe-report.ts";
import { AUTH_VARIABLES } from "../remote/shadow-fact.ts";
import type { Finding, ShadowFact, ShadowPlace } from "../remote/shadow-fact.ts";
import { explainShadows } from "./explain.ts";
import type { Explained } from "./explain.ts";
import { findShadows, findUnread, isProfile } from "./shadows.ts";

/** What the report of a probe says about other credentials than the one that is pushed. */
export interface Survey {
  /** What outranks it, in the order of precedence. */
  readonly shadows: readonly Finding[];
  /** What stands in files that the wrapper does not read. */
  readonly unread: readonly ShadowFact[];
  /** Nothing outranks the credentials file, not even what is ours: an answer of the wrapper speaks for its login. */
  readonly fileDecides: boolean;
  /** The user's settings file cannot be understood: nobody knows what it says, nor how to change it. */
  readonly flaw: FileFlaw | undefined;
  /** Other files whose part is not known; only the wrapper's answer can tell. */
  readonly doubts: readonly FileFlaw[];
}

export interface FileFlaw {
  readonly path: string;
  readonly why: string;
}

/**
 * Reads a report: settings files, environment and the files around the wrapper, without what is our own. `lastWritten` are
 * the fingerprints of what this laptop put on the host.
 */
export function surveyShadows(
  report: ProbeReport,
  host: Host,
  lastWritten: readonly string[] = [],
): Survey {
  const { facts: ofSettings, ours, flaws } = factsOfSettings(report);
  const inForce = inForceOn(report, host);
  const facts = [...report.shadows, ...ofCommand(host), ...ofSettings].filter(inForce);
  const own = ownTraces(report, host, lastWritten);
  const foreign = facts.filter((fact) => !own(fact) && fact !== ours);
  const settings = `${report.configDir}/settings.json`;
  return {
    shadows: findShadows(foreign, host.means, host.restart),
    unread: findUnread(foreign, host.restart),
    fileDecides: findShadows(facts, "file", host.restart).length === 0,
    flaw: flaws.find(({ path }) => path === settings),
    doubts: [
      ...flaws.filter(({ path }) => path !== settings),
      ...report.unread.map((path) => ({ path, why: "this account cannot read it" })),
    ],
  };
}

/** All that outranks the delivery, in the user's terms; undefined when nothing does. */
export function explainAll({ shadows }: Survey, { restart }: Host): Explained | undefined {
  return explainShadows(shadows, restart);
}

/**
 * What outranks the delivery after a restart, in the user's terms: in the new process itself, and anywhere, the files
 * being as the probe has read them, unless they were `cleared` by the change.
 */
export function explainRestarted(
  report: ProbeReport,
  ofProcess: readonly ShadowFact[],
  { host, cleared }: { readonly host: Host; readonly cleared: boolean },
): { readonly inProcess: Explained | undefined; readonly anywhere: Explained | undefined } {
  // What an earlier delivery had brought to it should be gone.
  const inProcess = surveyShadows({ ...report, shadows: ofProcess, files: new Map() }, host);
  const ofFiles = report.shadows.filter(({ place }) => place !== "process");
  const anywhere = cleared
    ? inProcess
    : surveyShadows({ ...report, shadows: [...ofProcess, ...ofFiles] }, host);
  return { inProcess: explainAll(inProcess, host), anywhere: explainAll(anywhere, host) };
}

/** The settings files that count for a wrapper, by place. */
function settingsPlaces({ configDir, project, files }: ProbeReport): [string, ShadowPlace][] {
  const managed = [...files.keys()].filter((path) => path.startsWith("/etc/claude-code/"));
  return [
    [`${configDir}/settings.json`, "settings"],
    ...(project === undefined || `${project}/.claude` === configDir
      ? []
      : ([
          [`${project}/.claude/settings.json`, "project-settings"],
          [`${project}/.claude/settings.local.json`, "local-settings"],
        ] satisfies [string, ShadowPlace][])),
    ...managed.map((path) => [path, "managed-settings"] satisfies [string, ShadowPlace]),
  ];
}

function factsOfSettings(report: ProbeReport) {
  const facts: ShadowFact[] = [];
  const flaws: FileFlaw[] = [];
  let ours: ShadowFact | undefined;
  for (const [path, place] of settingsPlaces(report)) {
    const file = report.files.get(path);
    if (file === undefined || file.kind === "absent") continue;
    const settings = file.bytes === undefined ? undefined : readSettings(file.bytes);
    if (settings?.kind !== "settings") {
      flaws.push({
        path,
        why:
          settings === undefined
            ? unreadable(file)
            : `Claude Code cannot read it: ${SETTINGS_FLAWS[settings.kind]}`,
      });
      continue;
    }
    const { env, apiKeyHelper } = settings;
    facts.push(...env.map(({ name, line, value }) => ({ name, place, value, path, line })));
    if (apiKeyHelper === undefined) continue;
    const value = apiKeyHelper.command === "oauth-token" ? "oauth-token" : "set";
    const helper = { name: "apiKeyHelper", place, value, path, line: apiKeyHelper.line } as const;
    if (apiKeyHelper.command === "ours" && place === "settings") ours = helper;
    facts.push(helper);
  }
  return { facts, flaws, ours };
}

function unreadable({ kind, mode }: HostFile): string {
  return `it is a ${kind} of mode ${mode} that this account cannot read`;
}

/** `ANTHROPIC_API_KEY=… python3 wrapper.py` as the command of hosts.json itself. */
function ofCommand({ restart }: Host): ShadowFact[] {
  if (restart.kind !== "process") return [];
  return AUTH_VARIABLES.filter((name) =>
    new RegExp(`(?<![\\w$])${name}=\\S`).test(restart.command),
  ).map((name) => ({ name, place: "start-command", value: "set", path: "hosts.json" }));
}

/**
 * What does something: not what an earlier push has told the unit to leave out, nor what a login shell would read but the
 * running process has not got. A restart keeps it so.
 */
function inForceOn(report: ProbeReport, { restart }: Host) {
  const { files, wiring, shadows, environmentSeen } = report;
  const leftOut = wiring === undefined ? [] : namesLeftOut(files.get(wiring)?.bytes);
  const running = new Set(
    shadows.filter(({ place }) => place === "process").map(({ name }) => name),
  );
  return ({ name, place, path }: ShadowFact): boolean => {
    if (place === "unit" || place === "unit-env-file") return !leftOut.includes(name);
    const isRead = restart.kind === "process" && isProfile(path);
    return !(place === "shell-rc" && isRead && environmentSeen && !running.has(name));
  };
}

/**
 * What stands there because an earlier push has put it there. A variable of ours in the process goes with the file that it
 * comes from.
 */
function ownTraces(
  { configDir, home, files, wiring }: ProbeReport,
  { envFile, means }: Host,
  lastWritten: readonly string[],
) {
  const envPath = `${configDir}/.sync-creds/wrapper.env`;
  const theirs = envFile?.replace(/^~(?=\/)/, () => home);
  const pushed = namesPushedTo(files.get(theirs ?? "")?.bytes, lastWritten);
  const brought = new Set([...namesSetBy(files.get(envPath)?.bytes), ...pushed]);
  const variable =
    means === "key-variable"
      ? "ANTHROPIC_API_KEY"
      : means === "oauth-variable"
        ? "CLAUDE_CODE_OAUTH_TOKEN"
        : undefined;
  return ({ name, place, path }: ShadowFact): boolean => {
    if (path !== undefined && (path === envPath || path === wiring)) return true;
    if (place === "process" && brought.has(name)) return true;
    return path !== undefined && path === theirs && (name === variable || pushed.includes(name));
  };
}
