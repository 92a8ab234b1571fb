import type { Check, Examined } from "../diagnosis.ts";
import type { Host, SecretReference } from "../hosts/host.ts";
import { SyncCredsError } from "../errors.ts";
import { sanitize } from "../output/sanitize.ts";
import { findSupervisor } from "../restart/found-supervisor.ts";
import type { ExaminedHost, Seen } from "./host.ts";
import { maskFor, maskLog } from "./mask.ts";
import type { Names } from "./mask.ts";

/** What a report for strangers is made of. */
export interface BundleFacts {
  /** `sync-creds`, `node`, `ssh`… and what each says of itself. */
  readonly versions: Readonly<Record<string, string>>;
  readonly laptop: Examined;
  readonly examined: readonly ExaminedHost[];
  readonly hosts: readonly Host[];
  readonly names: Names;
}

/** The report as Markdown. Every line of it passes the mask. */
export function renderBundle({ versions, laptop, examined, hosts, names }: BundleFacts): string {
  const mask = maskFor(names);
  const parts = [
    "# sync-creds doctor",
    "",
    "Secrets, addresses and names are left out. Read it before you post it.",
    "",
    "## Versions",
    "",
    ...Object.entries(versions).map(
      ([name, version]) => `- ${name}: ${sanitize(version, { maxLength: 200 })}`,
    ),
    "",
    "## This laptop",
    "",
    ...laptop.checks.flatMap(renderCheck),
    ...examined.flatMap((one, at) => renderHost(one, hosts[at])),
  ];
  return `${mask(parts.join("\n"))}\n`;
}

function renderCheck({ mark, topic, what, evidence, code }: Check): string[] {
  return [
    `- ${mark} ${topic}: ${what}${code === undefined ? "" : ` (${code})`}`,
    ...evidence.map((line) => `  - ${line}`),
  ];
}

function renderHost({ place, checks, seen }: ExaminedHost, host: Host | undefined): string[] {
  return [
    "",
    `## ${place}`,
    "",
    ...(host === undefined ? [] : ["```json", JSON.stringify(shapeOf(host), null, 2), "```", ""]),
    ...checks.flatMap(renderCheck),
    ...(seen === undefined ? [] : renderFacts(seen)),
  ];
}

/** What the probe and the inspection saw, by name. */
function renderFacts({ report, inspection, verdict }: Seen): string[] {
  const { log, claudeStatus: _status, ...shown } = inspection;
  const {
    configDir,
    uid,
    clock,
    freeKiB,
    claudeVersion,
    unit,
    directory,
    foreign,
    missing,
    dirEntry,
    fileEntry,
    homeEntry,
    wrapper,
  } = report;
  const facts = {
    probe: { configDir, uid, clock, freeKiB, claudeVersion, unit, directory, foreign, missing },
    entries: { home: entryOf(homeEntry), dir: entryOf(dirEntry), file: entryOf(fileEntry) },
    files: [...report.files].map(
      ([path, file]) => `${path}: ${file.kind} ${file.mode} ${file.bytes?.length ?? "?"} bytes`,
    ),
    variables: report.shadows,
    wrapper,
    inspection: shown,
    supervisor: findSupervisor(inspection),
    answer:
      verdict instanceof SyncCredsError ? { code: verdict.code, what: verdict.message } : verdict,
  };
  return [
    "",
    "```json",
    JSON.stringify(facts, null, 2),
    "```",
    "",
    "The end of the wrapper's log:",
    "",
    "```",
    ...log.map((line) => maskLog(sanitize(line, { maxLength: 300 }))),
    "```",
  ];
}

function entryOf({ kind, mode, uid, links }: Seen["report"]["fileEntry"]): string {
  return `${kind} ${mode} uid ${uid} links ${links}`;
}

/** An entry of hosts.json: what it is set to, without what it is called, and without the user's own texts. */
function shapeOf(host: Host): object {
  const {
    delivery,
    means,
    transport,
    restart,
    wrapper,
    backup,
    switches,
    tags,
    groups,
    configDir,
  } = host;
  const { chat, health, bearer, url } = wrapper;
  return {
    ssh: { port: host.ssh.port, user: host.ssh.user === undefined ? undefined : "…" },
    transport,
    runAs: host.runAs === undefined ? undefined : "…",
    configDir,
    hostKey: host.hostKey === undefined ? undefined : "pinned",
    delivery,
    means,
    backup,
    token: host.token && kindOf(host.token),
    apiKey: host.apiKey && kindOf(host.apiKey),
    envFile: host.envFile,
    restart: Object.fromEntries(
      Object.entries(restart).map(([key, value]) => [
        key,
        OWN_TEXT.has(key) ? `${String(value).length} characters` : value,
      ]),
    ),
    wrapper: {
      url,
      chat:
        chat && "path" in chat
          ? { preset: chat.preset, path: chat.path }
          : chat && { preset: chat.preset },
      health,
      bearer: bearer && kindOf(bearer),
      timeoutMs: wrapper.timeoutMs,
    },
    switches: Object.keys(switches).length,
    tags: tags.length,
    groups: groups.length,
    deadlineMs: host.deadlineMs,
    stabilityMs: host.stabilityMs,
  };
}

/** Shell text may hold anything. */
const OWN_TEXT = new Set(["command", "restart", "status"]);

function kindOf(reference: SecretReference): string {
  return Object.keys(reference).join();
}
