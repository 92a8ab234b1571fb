import { complaintAboutName, type HostEntry } from "../hosts/complaint.ts";
import { openDraft, parseDraft, saveDraft, type Draft } from "../hosts/draft.ts";
import { addToHosts, type Addition } from "../hosts/edit.ts";
import { renderLine, type Json } from "../hosts/json-layout.ts";
import type { HostsContent } from "../hosts/schema.ts";
import { paintFor } from "../output/terminal.ts";
import type { Ports } from "../ports.ts";
import { printable } from "../remote/printable.ts";
import { chooseCandidates, compareWith, toUsableName } from "./hosts-candidates.ts";
import type { Candidate } from "./hosts-candidates.ts";
import { renderColumns, renderHostsResult } from "./hosts-output.ts";
import { askForAccount, askForGroup, askForUrl, type SettingOptions } from "./hosts-questions.ts";
import { askForRestart } from "./hosts-restart.ts";
import { readSource, type SourceOptions } from "./hosts-sources.ts";
import type { HostsOptions, HostsWorld } from "./hosts.ts";

/** The options of `hosts import`. */
export interface ImportOptions extends HostsOptions, SettingOptions, SourceOptions {
  readonly all?: boolean;
  readonly dryRun?: boolean;
}

/** `hosts import`: adds hosts of an ssh_config or an Ansible inventory to hosts.json, all in one change. */
export async function importHosts(
  names: readonly string[],
  options: ImportOptions,
  world: HostsWorld,
): Promise<number> {
  const { ports } = world;
  const draft = await openDraft(ports, options.config);
  const { found, sshConfig } = await readSource(draft, options, world);
  const candidates = compareWith(draft.content, found);
  const chosen = await chooseCandidates(candidates, names, options.all === true, ports.human);
  const fresh = chosen.filter(({ state }) => state === "new");

  const addition = await settle(fresh, draft, options, ports);
  if (fresh.length > 0) {
    const edited = addToHosts(draft.text, {
      ...addition,
      ...(sshConfig !== undefined && { sshConfig }),
    });
    parseDraft(draft, edited);
    if (options.dryRun !== true) await saveDraft(draft, edited, ports);
  }
  tell(chosen, addition, draft, options, world);
  return 0;
}

/** What the new hosts need besides their address: once for all of them. */
async function settle(
  fresh: readonly Candidate[],
  { content }: Draft,
  options: ImportOptions,
  { human }: Ports,
): Promise<Addition> {
  if (fresh.length === 0) return { hosts: {} };
  const names = fresh.map(({ host }) => host);
  const url = await askForUrl(options, content, human);
  const restart = await askForRestart(options, content, human, false);
  // Nobody is asked for these two: hosts that are imported together need not have them in common.
  const runAs = options.runAs && (await askForAccount(options, content, human));
  const group = options.group && (await askForGroup(options, content, names, human));
  // A default that is there already is not changed: other hosts rely on it.
  const isUrlOwn = url !== undefined && content.defaults?.wrapper?.url !== undefined;
  const isRestartOwn = restart !== undefined && content.defaults?.restart !== undefined;
  const toEntry = ({ host, entry }: Candidate): [string, HostEntry] => [
    host,
    {
      ...entry,
      ...(runAs !== undefined && entry["runAs"] === undefined && { runAs }),
      ...(isUrlOwn && { wrapper: { url } }),
      ...(isRestartOwn && { restart }),
    },
  ];
  return {
    hosts: Object.fromEntries(fresh.map(toEntry)),
    groups: collectGroups(fresh, content, group),
    defaults: [
      ...(url === undefined || isUrlOwn ? [] : [[["wrapper", "url"], url] as const]),
      ...(restart === undefined || isRestartOwn ? [] : [[["restart"], restart] as const]),
    ],
  };
}

/** The groups of the new hosts, `group` for all of them. A name that hosts.json cannot have for a group is left out. */
function collectGroups(
  fresh: readonly Candidate[],
  content: HostsContent,
  group: string | undefined,
): Record<string, string[]> {
  const groups: Record<string, string[]> = {};
  for (const { host, groups: own } of fresh) {
    for (const one of new Set([
      ...own.map(toUsableName),
      ...(group === undefined ? [] : [group]),
    ])) {
      if (isGroupName(one, fresh, content)) (groups[one] ??= []).push(host);
    }
  }
  return groups;
}

function isGroupName(name: string, fresh: readonly Candidate[], content: HostsContent): boolean {
  if (Object.hasOwn(content.groups ?? {}, name)) return true;
  if (fresh.some(({ host }) => host === name)) return false;
  return complaintAboutName(name, content, "group") === undefined;
}

function tell(
  chosen: readonly Candidate[],
  { hosts, groups = {}, defaults = [] }: Addition,
  { origin }: Draft,
  options: ImportOptions,
  { terminal }: HostsWorld,
): void {
  const dryRun = options.dryRun === true;
  if (options.json === true) {
    const outcomes = { new: dryRun ? "planned" : "added", present: "present", unfit: "left-out" };
    const results = chosen.map(({ host, name, state, why, notes }) => ({
      host,
      from: name,
      outcome: outcomes[state],
      ...(state === "new" && { entry: hosts[host], notes }),
      ...(why !== undefined && { why }),
    }));
    terminal.stdout.write(renderHostsResult(0, results, { file: origin.path, dryRun, groups }));
    return;
  }
  const words = { new: dryRun ? "would be added" : "added", present: "kept", unfit: "left out" };
  const rows = chosen.map(({ host, name, state, why }) => [
    printable(state === "unfit" ? name : host),
    words[state],
    printable(detailOf(state, why, hosts[host])),
  ]);
  const paint = paintFor(terminal.stdout, terminal.env);
  const more = [
    ...Object.entries(groups).map(([name, members]) => `group ${name}: ${members.join(", ")}\n`),
    ...defaults.map(([path, value]) => `defaults.${path.join(".")}: ${renderLine(value)}\n`),
  ];
  terminal.stdout.write(`${renderColumns(["HOST", "", ""], rows, paint)}${more.join("")}`);
  for (const { host, state, notes } of chosen) {
    if (state !== "new") continue;
    for (const note of notes) terminal.stderr.write(printable(`${host}: ${note}`) + "\n");
  }
  const count = Object.keys(hosts).length;
  terminal.stderr.write(
    count === 0
      ? "nothing to add\n"
      : dryRun
        ? `nothing was written: this was a dry run\n`
        : `${origin.shownAs} is written; see \`sync-creds hosts list\`\n`,
  );
}

function detailOf(state: Candidate["state"], why = "", entry: Json = ""): string {
  if (state === "new") return renderLine(entry);
  return state === "present" ? "it is in hosts.json already and stays as it is" : why;
}
