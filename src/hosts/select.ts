import { SyncCredsError } from "../errors.ts";
import type { GroupOrder } from "./build.ts";
import { findNearest } from "./did-you-mean.ts";
import type { Host } from "./host.ts";
import type { HostsFile } from "./parse.ts";

/** Narrows a selection. Both hold targets, which must exist just as well. */
export interface Narrowing {
  /** Hosts to leave out. */
  readonly exclude?: readonly string[];
  /** Only hosts that also belong to one of these. */
  readonly limit?: readonly string[];
}

/** The hosts a run acts on. */
export interface Selection {
  /** In the order of hosts.json, each once; never empty. */
  readonly hosts: readonly Host[];
  /** Why the user must be asked first; `undefined` when nothing calls for it. */
  readonly needsConfirmation: string | undefined;
  /** How the group that was named wants to be gone through. */
  readonly order: GroupOrder;
  /** Groups that were named and want different orders, by name: then none decides. */
  readonly atOdds: readonly string[];
}

/**
 * The hosts that the targets name: a host, a group, `tag:x`, a glob over host names, or `all`.
 * Error: `TARGET_UNKNOWN` when a target names nothing, or when nothing is left.
 */
export function selectHosts(
  file: HostsFile,
  targets: readonly string[],
  { exclude = [], limit }: Narrowing = {},
): Selection {
  const wanted = namesOf(file, targets);
  const excluded = namesOf(file, exclude);
  const allowed = limit === undefined ? wanted : namesOf(file, limit);
  const hosts = file.hosts.filter(({ name }) => {
    return wanted.has(name) && allowed.has(name) && !excluded.has(name);
  });
  if (hosts.length === 0) {
    throw new SyncCredsError("TARGET_UNKNOWN", "no host is selected", {
      why: targets.length === 0 ? "no target was named" : "every host named is also left out",
      next: [renderChoices(file)],
    });
  }
  return { hosts, needsConfirmation: reasonToAsk(file, targets), ...orderOf(file, targets) };
}

/** Of the one group among the targets that wants any; several may want different things, and then none decides. */
function orderOf({ groups }: HostsFile, targets: readonly string[]) {
  const named = groups.filter(
    ({ name, order }) => targets.includes(name) && Object.keys(order).length > 0,
  );
  const [one, other] = named;
  return other === undefined
    ? { order: one?.order ?? {}, atOdds: [] }
    : { order: {}, atOdds: named.map(({ name }) => name) };
}

function namesOf(file: HostsFile, targets: readonly string[]): ReadonlySet<string> {
  return new Set(targets.flatMap((target) => expandTarget(file, target)));
}

function expandTarget(file: HostsFile, target: string): readonly string[] {
  const names = findNames(target, file);
  if (names.length > 0) return names;
  throw unknownTarget(file, target);
}

/** The names that a target means in hosts.json, and among `others`, which are known by their names only. May be none. */
export function findNames(
  target: string,
  { hosts, groups }: Pick<HostsFile, "hosts" | "groups">,
  others: readonly string[] = [],
): readonly string[] {
  const group = groups.find(({ name }) => name === target);
  if (group !== undefined) return group.hosts;
  const known = [...hosts, ...others.map((name) => ({ name, tags: [] }))];
  return known.filter((host) => isNamedBy(target, host)).map(({ name }) => name);
}

function isNamedBy(target: string, { name, tags }: Pick<Host, "name" | "tags">): boolean {
  if (target === "all" || target === name) return true;
  if (target.startsWith("tag:")) return tags.includes(target.slice("tag:".length));
  return /[*?]/.test(target) && toPattern(target).test(name);
}

function toPattern(glob: string): RegExp {
  const source = glob
    .replace(/[^\w*?]/g, String.raw`\$&`)
    .replace(/\*+/g, ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`);
}

function reasonToAsk({ hosts, groups }: HostsFile, targets: readonly string[]): string | undefined {
  if (targets.some((target) => target === "all" || /^\*+$/.test(target))) {
    return `the target is every host of hosts.json (${hosts.length})`;
  }
  const group = groups.find(({ name, confirm }) => confirm && targets.includes(name));
  return group && `the group ${group.name} asks for it in hosts.json`;
}

function unknownTarget(file: HostsFile, target: string): SyncCredsError {
  const nearest = findNearest(target, allTargets(file));
  const shown = target.length > 64 ? `${target.slice(0, 64)}…` : target;
  return new SyncCredsError("TARGET_UNKNOWN", `nothing in hosts.json is called ${shown}`, {
    why: `a target is a host, a group, \`tag:NAME\`, a pattern over host names, or \`all\``,
    next: [...(nearest === undefined ? [] : [`Did you mean \`${nearest}\`?`]), renderChoices(file)],
  });
}

function allTargets({ hosts, groups }: HostsFile): string[] {
  const tags = new Set(hosts.flatMap((host) => host.tags));
  return [
    ...groups.map(({ name }) => name),
    ...hosts.map(({ name }) => name),
    ...[...tags].map((tag) => `tag:${tag}`),
    "all",
  ];
}

function renderChoices(file: HostsFile): string {
  const targets = allTargets(file);
  const shown = targets.slice(0, 30).join(", ");
  return `Choose from: ${shown}${targets.length > 30 ? `, and ${targets.length - 30} more` : ""}`;
}
