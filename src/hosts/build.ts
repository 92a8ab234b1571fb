import type { Delivery, Host, Means, Restart, Wrapper } from "./host.ts";
import { renderGuess, type Problem } from "./problem.ts";
import type { HostsContent } from "./schema.ts";

/** A name for several hosts. */
export interface Group {
  readonly name: string;
  readonly hosts: readonly string[];
  /** A run that names this group asks first. */
  readonly confirm: boolean;
  readonly order: GroupOrder;
}

/** How a group wants to be gone through, where it says so. */
export interface GroupOrder {
  readonly canary?: string;
  readonly waves?: readonly Amount[];
  readonly maxFailures?: Amount;
}

/** A number of hosts, or a share of all in percent. */
export type Amount = { readonly count: number } | { readonly percent: number };

/** Hosts and groups in the order of hosts.json, and what the schema alone could not find wrong. */
export interface Built {
  readonly hosts: readonly Host[];
  readonly groups: readonly Group[];
  readonly problems: readonly Problem[];
}

const INITIAL = {
  delivery: "access-token",
  transport: "auto",
  tags: [],
  deadlineMs: 180_000,
  stabilityMs: 1_000,
  confirmTimeoutMs: 60_000,
} as const;

const INITIAL_WRAPPER = {
  chat: { preset: "chat" },
  timeoutMs: 60_000,
  baselineTimeoutMs: 10_000,
  startTimeoutMs: 30_000,
} as const;

/** Applies the defaults. `toAbsolute` turns a local path of hosts.json into an absolute one. */
export function buildHosts(content: HostsContent, toAbsolute: (path: string) => string): Built {
  const problems = findGroupProblems(content);
  const groups = Object.entries(content.groups ?? {}).map(
    ([name, { hosts, confirm = false, ...order }]): Group => ({ name, hosts, confirm, order }),
  );
  const hosts = Object.keys(content.hosts).flatMap((name) => {
    const built = buildHost(name, content, groups, toAbsolute);
    if ("ssh" in built) return [built];
    problems.push(...built.problems);
    return [];
  });
  if (Object.keys(content.hosts).length === 0) {
    problems.push({ path: ["hosts"], what: "must name at least one host" });
  }
  return { hosts, groups, problems };
}

function buildHost(
  name: string,
  content: HostsContent,
  groups: readonly Group[],
  toAbsolute: (path: string) => string,
): Host | { readonly problems: readonly Problem[] } {
  const merged = { ...INITIAL, ...content.defaults, ...content.hosts[name]! };
  const wrapper = { ...INITIAL_WRAPPER, ...content.defaults?.wrapper, ...merged.wrapper };
  const { restart, identityFile, knownHosts, place, switches = {}, ...rest } = merged;
  const { url } = wrapper;
  const means = meansOf(rest.delivery, place);
  const problems = [...findGaps(name, { url, restart }), ...findMisfits(name, merged, means)];
  if (url === undefined || restart === undefined || means === undefined || problems.length > 0) {
    return { problems };
  }
  return {
    ...rest,
    name,
    means,
    switches: mapValues(switches, ({ restart: its, wrapper: asked, ...edit }) => ({
      ...edit,
      ...(its !== undefined && { restart: withLog(its) }),
      ...(asked !== undefined && { wrapper: wrapperOfSwitch(asked, { ...wrapper, url }) }),
    })),
    groups: groups.filter((group) => group.hosts.includes(name)).map((group) => group.name),
    wrapper: { ...wrapper, url },
    restart: withLog(restart),
    ...(content.sshConfig !== undefined && { sshConfig: toAbsolute(content.sshConfig) }),
    ...(identityFile !== undefined && { identityFile: toAbsolute(identityFile) }),
    ...(knownHosts !== undefined && { knownHosts: toAbsolute(knownHosts) }),
  };
}

/** Another service at another address talks another way, and does not get the wrapper's bearer: it says all for itself. */
function wrapperOfSwitch(asked: Partial<Wrapper>, own: Wrapper): Wrapper {
  if (asked.url === undefined || asked.url === own.url) return { ...own, ...asked };
  const { chat: _, ...patience } = INITIAL_WRAPPER;
  return { ...patience, ...asked, url: asked.url };
}

/** How a delivery lands at the place asked for; undefined when it cannot. */
function meansOf(delivery: Delivery, place: "file" | "env" | "helper" | undefined) {
  return (MEANS[delivery] as Partial<Record<string, Means>>)[place ?? "usual"];
}

const MEANS = {
  "access-token": { usual: "file", file: "file" },
  "full-login": { usual: "file", file: "file" },
  "setup-token": { usual: "file", file: "file", env: "oauth-variable" },
  "api-key": { usual: "key-variable", env: "key-variable", helper: "key-helper" },
  "own-login": { usual: "none" },
} as const satisfies Record<Delivery, Partial<Record<string, Means>>>;

function findMisfits(
  name: string,
  { delivery, place, token, apiKey, backup, envFile, restart }: Said,
  means: Means | undefined,
): Problem[] {
  const problem = (key: string, what: string) => [{ path: ["hosts", name, key], what }];
  if (means === undefined) {
    return problem("place", `cannot be \`${place}\` with delivery \`${delivery}\``);
  }
  if (delivery === "setup-token" && token === undefined) {
    return problem("token", "is required with delivery `setup-token`: where the token stands");
  }
  if ((delivery === "api-key" || backup !== undefined) && apiKey === undefined) {
    return problem("apiKey", "is required here: where the API key stands");
  }
  const isVariable = means === "key-variable" || means === "oauth-variable";
  if (isVariable && envFile === undefined && !WIRED.has(restart?.kind)) {
    return problem(
      "envFile",
      `is required for a variable with restart kind \`${restart?.kind}\`: an env file that its supervisor reads${delivery === "api-key" ? "; or `place`: `helper`" : "; or `place`: `file`"}`,
    );
  }
  if (delivery === "api-key" && backup !== undefined) {
    return problem("backup", "is of no use with delivery `api-key`: the key is in use already");
  }
  return [];
}

interface Said {
  readonly delivery: Delivery;
  readonly place?: string;
  readonly token?: unknown;
  readonly apiKey?: unknown;
  readonly backup?: string;
  readonly envFile?: string;
  readonly restart?: { readonly kind: string } | undefined;
}

/** Supervisors that can be made to read an env file of ours. */
const WIRED = new Set<string | undefined>(["systemd", "process", "docker-compose", "pm2"]);

function mapValues<T, U>(record: Readonly<Record<string, T>>, change: (value: T) => U) {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}

function findGaps(name: string, given: { url: unknown; restart: unknown }): Problem[] {
  const gaps: Problem[] = [];
  if (given.url === undefined) {
    const what =
      "is required, here or in `defaults`: a push counts only once the wrapper has answered there";
    gaps.push({ path: ["hosts", name, "wrapper", "url"], what });
  }
  if (given.restart === undefined) {
    const what =
      "is required, here or in `defaults`: of the kind that runs the wrapper (`systemd`, `docker-compose`, `pm2` and so on), or `none` when it starts `claude` per request";
    gaps.push({ path: ["hosts", name, "restart"], what });
  }
  return gaps;
}

function withLog(restart: NonNullable<HostsContent["hosts"][string]["restart"]>): Restart {
  if (restart.kind !== "process") return restart;
  return { log: `${restart.directory.replace(/\/+$/, "")}/wrapper.log`, ...restart };
}

function findGroupProblems({ hosts, groups = {} }: HostsContent): Problem[] {
  const problems: Problem[] = [];
  for (const [name, { hosts: members, canary }] of Object.entries(groups)) {
    if (canary !== undefined && !members.includes(canary)) {
      const what = `is not among the hosts of the group${renderGuess(canary, members)}`;
      problems.push({ path: ["groups", name, "canary"], what });
    }
    if (name === "all") problems.push(reserved("groups"));
    if (Object.hasOwn(hosts, name)) {
      const what = "has the name of a host: give one of them another name";
      problems.push({ path: ["groups", name], what });
    }
    for (const [index, member] of members.entries()) {
      if (Object.hasOwn(hosts, member)) continue;
      const what = `is not a host of this file${renderGuess(member, Object.keys(hosts))}`;
      problems.push({ path: ["groups", name, "hosts", index], what });
    }
  }
  if (Object.hasOwn(hosts, "all")) problems.push(reserved("hosts"));
  return problems;
}

function reserved(where: string): Problem {
  return { path: [where, "all"], what: "is reserved: as a target, `all` means every host" };
}
