import { compareWith, toUsableName, type Candidate } from "../hosts/candidates.ts";
import { complaintAboutName, type HostEntry } from "../hosts/complaint.ts";
import { openDraft, parseDraft, saveDraft, type Draft } from "../hosts/draft.ts";
import { addToHosts, type Addition } from "../hosts/edit.ts";
import { renderLine, type Json } from "../hosts/json-layout.ts";
import type { HostsContent } from "../hosts/schema.ts";
import { paintFor } from "../output/terminal.ts";
import type { Ports } from "../ports.ts";
import { printable } from "../remote/printable.ts";
import { chooseCandidates } from "./hosts-choice.ts";
import { renderColumns, renderHostsResult } from "./hosts-output.ts";
import { askForAccount, askForGroup, askForUrl, type SettingOptions } from "./hosts-questions.ts";
import { askForRestart } from "./hosts-restart.ts";
import { readSource, type SourceOptions } from "./hosts-sources.ts";
import type { LocalOptions, LocalWorld } from "./local-command.ts";

/** The options of `hosts import`. */
export interface ImportOptions extends LocalOptions, SettingOptions, SourceOptions {
  readonly config?: string;
  readonly all?: boolean;
  readonly dryRun?: boolean;
}

/** `hosts import`: adds hosts of an ssh_config or an Ansible inventory to hosts.json, all in one change. */
export async function importHosts(
  names: readonly string[],
  options: ImportOptions,
  world: LocalWorld,
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
  tell(chosen, addition, draft, options, world, notesOn(fresh, draft.content));
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

/** The groups of the new hosts, `group` for all of them. */
function collectGroups(
  fresh: readonly Candidate[],
  content: HostsContent,
  group: string | undefined,
): Record<string, string[]> {
  const groups: Record<string, string[]> = {};
  for (const candidate of fresh) {
    const own = candidate.groups.filter(
      (one) => complaintAboutGroup(one, fresh, content) === undefined,
    );
    const all = new Set([...own.map(toUsableName), ...(group === undefined ? [] : [group])]);
    for (const one of all) (groups[one] ??= []).push(candidate.host);
  }
  return groups;
}

/** Why hosts.json cannot have a group of an inventory. */
function complaintAboutGroup(
  group: string,
  fresh: readonly Candidate[],
  content: HostsContent,
): string | undefined {
  const name = toUsableName(group);
  if (Object.hasOwn(content.groups ?? {}, name)) return undefined;
  if (fresh.some(({ host }) => host === name)) return `there is a host \`${name}\``;
  return complaintAboutName(name, content, "group");
}

/** What the inventory says about the new hosts and hosts.json will not. */
function notesOn(fresh: readonly Candidate[], content: HostsContent): string[] {
  const groups = [...new Set(fresh.flatMap((one) => one.groups))].flatMap((group) => {
    const complaint = complaintAboutGroup(group, fresh, content);
    return complaint === undefined ? [] : [`group ${group} is left out: ${complaint}`];
  });
  const hosts = fresh.flatMap(({ host, notes }) => notes.map((note) => `${host}: ${note}`));
  return [...hosts, ...groups].map(printable);
}

function tell(
  chosen: readonly Candidate[],
  { hosts, groups = {}, defaults = [] }: Addition,
  { origin }: Draft,
  options: ImportOptions,
  { terminal }: LocalWorld,
  notes: readonly string[],
): void {
  const dryRun = options.dryRun === true;
  const named = defaults.map(([path, value]) => [path.join("."), value] as const);
  if (options.json === true) {
    const outcomes = { new: dryRun ? "planned" : "added", present: "present", unfit: "left-out" };
    const results = chosen.map(({ host, name, state, why }) => ({
      host,
      from: name,
      outcome: outcomes[state],
      ...(state === "new" && { entry: hosts[host] }),
      ...(why !== undefined && { why }),
    }));
    const more = { file: origin.path, dryRun, groups, defaults: Object.fromEntries(named), notes };
    terminal.stdout.write(renderHostsResult(0, results, more));
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
    ...named.map(([path, value]) => `defaults.${path}: ${renderLine(value)}\n`),
  ];
  terminal.stdout.write(`${renderColumns(["HOST", "", ""], rows, paint)}${more.join("")}`);
  for (const note of notes) terminal.stderr.write(`${note}\n`);
  const count = Object.keys(hosts).length;
  terminal.stderr.write(
    count === 0
      ? "nothing to add\n"
      : dryRun
        ? "nothing was written: this was a dry run\n"
        : `${origin.shownAs} is written; see \`sync-creds hosts list\`\n`,
  );
}

function detailOf(state: Candidate["state"], why = "", entry: Json = ""): string {
  if (state === "new") return renderLine(entry);
  return state === "present" ? "it is in hosts.json already and stays as it is" : why;
}
